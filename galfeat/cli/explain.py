"""``galfeat explain``: why a model says what it says of galaxies."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from galfeat.cli.options import classifier_and_inputs, classifier_options
from galfeat.cli.prose import counted
from galfeat.storage.atomic import atomic_file, ensure_folder_writable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from galfeat.explain import Explanation

    Image = NDArray[np.uint8]

#: How many reasons are printed.
_REASONS = 8


@click.command()
@click.option(
    "--of",
    metavar="CLASS",
    help="The class to explain. [default: the one the model names]",
)
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write a picture and a JSON file for each galaxy there.",
)
@classifier_options
@click.pass_context
def explain(
    ctx: click.Context,
    inputs: tuple[str, ...],
    of: str | None,
    output: Path | None,
    trust: bool,
    images: str | None,
    jobs: int,
) -> None:
    """Say what speaks for and against the class that MODEL names.

    Where no MODEL is named, it is the first of `galfeat models`.
    INPUT is image files, folders, patterns or a data set. What the features of the boosted
    trees and linear members add is told by what they measure; members that cannot say why
    stand as they are. All that is listed adds up to the logarithm of the class's
    probability over the geometric mean of those of all classes.
    """
    if output is not None:
        ensure_folder_writable(output)
    from galfeat.cli.measure import measure
    from galfeat.data import open_dataset
    from galfeat.explain import explain as explain_table
    from galfeat.predictions import no_galaxy

    classifier, _, inputs = classifier_and_inputs(inputs, trust=trust, jobs=jobs)
    opened = open_dataset(inputs, images=images)
    classifier.extractor_.n_jobs = jobs
    dataset, table = measure(classifier.extractor_, opened)
    said = classifier.classify_table(table)
    found = explain_table(classifier, table, said, of=of)
    stems = _stems(dataset.ids)
    for number, (name, one) in enumerate(zip(dataset.ids, found, strict=True)):
        problem = no_galaxy(said.flags[number])
        click.echo(("\n" if number else "") + _text(name, one, problem))
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            (image,) = dataset.read([number])
            _write(output / stems[number], cast("Image", image), Path(name).name, one, problem)
    if output is not None:
        click.echo(f"\n{counted(len(found))} in {output}")
    if len(dataset) < len(opened):
        ctx.exit(3)


def _stems(ids: Iterable[str]) -> list[str]:
    """Return a name of its own for the files of each galaxy, images of one name told by number."""
    stems: dict[str, None] = {}  # a set with an order
    for name in ids:
        stem = Path(name).stem
        numbered = (f"{stem}-{number}" for number in count(2))
        stems[next(one for one in chain([stem], numbered) if one not in stems)] = None
    return list(stems)


def _text(name: str, found: Explanation, problem: str | None) -> str:
    lines = [f"{name}: {found.predicted}"]
    if problem:
        lines.append(f"  but perhaps no galaxy at all. {problem}")
    lines += [f"  {p:6.3f}  {of}" for of, p in list(found.probabilities.items())[:3]]
    lines.append(f"why {found.of}, or why not:")
    lines.append(f"  {found.start:+6.2f}  how common it is")
    for reason in found.reasons[:_REASONS]:
        measured = ""
        if reason.value is not None:
            measured = f"  ({reason.feature} {reason.value:.3g}"
            if reason.share_below is not None:
                measured += f", {_among(reason.share_below)}"
            measured += ")"
        lines.append(f"  {reason.added:+6.2f}  {reason.words}{measured}")
    rest = sum(reason.added for reason in found.reasons[_REASONS:])
    lines.append(f"  {rest:+6.2f}  everything else")
    lines.append(f"  {found.score:+6.2f}  in all")
    return "\n".join(lines)


def _among(share_below: float) -> str:
    """Say where a value lies among those of the training galaxies."""
    if share_below < 0.5:
        return f"less than in {min(math.floor(100 * (1 - share_below)), 99)} % of galaxies"
    return f"more than in {min(math.floor(100 * share_below), 99)} % of galaxies"


def _write(stem: Path, image: Image, name: str, found: Explanation, problem: str | None) -> None:
    from galfeat.explain.picture import write_picture
    from galfeat.frame import as_rgb, measure_frame

    rgb = as_rgb(image)
    title = f"{name}: perhaps no galaxy" if problem else name
    write_picture(stem.with_name(stem.name + ".png"), rgb, measure_frame(rgb), found, title)
    with atomic_file(stem.with_name(stem.name + ".json")) as temporary:
        text = json.dumps(
            {"id": name, "problem": problem, **found.to_json()}, indent=2, ensure_ascii=False
        )
        temporary.write_text(text + "\n", encoding="utf-8")
