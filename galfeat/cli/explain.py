"""``galfeat explain``: explain the predictions of a model."""

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

#: Maximum number of reasons printed.
_REASONS = 8


@click.command()
@click.option(
    "--of",
    metavar="CLASS",
    help="The class to explain. [default: the predicted class]",
)
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write a figure and a JSON file per galaxy to this folder.",
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
    """Show the reasons for and against the class predicted by MODEL.

    MODEL is by default the first of `galfeat models`. INPUT is image files, folders, patterns
    or a data set. Contributions of tree and linear members are grouped by what their features
    measure; a member that cannot be explained is listed as a whole. The contributions add up
    to the logarithm of the class probability over the geometric mean of all class
    probabilities.
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
    predictions = classifier.classify_table(table)
    explanations = explain_table(classifier, table, predictions, of=of)
    stems = _stems(dataset.ids)
    for row, (name, explanation) in enumerate(zip(dataset.ids, explanations, strict=True)):
        problem = no_galaxy(predictions.flags[row])
        click.echo(("\n" if row else "") + _text(name, explanation, problem))
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            (image,) = dataset.read([row])
            title = Path(name).name
            _write(output / stems[row], cast("Image", image), title, explanation, problem)
    if output is not None:
        click.echo(f"\n{counted(len(explanations))} in {output}")
    if len(dataset) < len(opened):
        ctx.exit(3)


def _stems(ids: Iterable[str]) -> list[str]:
    """Return a unique file stem per galaxy; repeated names are numbered."""
    stems: dict[str, None] = {}  # an ordered set
    for name in ids:
        stem = Path(name).stem
        numbered = (f"{stem}-{number}" for number in count(2))
        stems[next(unused for unused in chain([stem], numbered) if unused not in stems)] = None
    return list(stems)


def _text(name: str, explanation: Explanation, problem: str | None) -> str:
    lines = [f"{name}: {explanation.predicted}"]
    if problem:
        lines.append(f"  possibly not a galaxy. {problem}")
    lines += [f"  {p:6.3f}  {of}" for of, p in list(explanation.probabilities.items())[:3]]
    lines.append(f"reasons for and against {explanation.of}:")
    lines.append(f"  {explanation.start:+6.2f}  class frequency")
    for reason in explanation.reasons[:_REASONS]:
        measured = ""
        if reason.value is not None:
            measured = f"  ({reason.feature} {reason.value:.3g}"
            if reason.share_below is not None:
                measured += f", {_rank_text(reason.share_below)}"
            measured += ")"
        lines.append(f"  {reason.added:+6.2f}  {reason.words}{measured}")
    rest = sum(reason.added for reason in explanation.reasons[_REASONS:])
    lines.append(f"  {rest:+6.2f}  all other reasons")
    lines.append(f"  {explanation.score:+6.2f}  total")
    return "\n".join(lines)


def _rank_text(share_below: float) -> str:
    """Describe the rank of a value among the training galaxies."""
    if share_below < 0.5:
        return f"less than in {min(math.floor(100 * (1 - share_below)), 99)} % of galaxies"
    return f"more than in {min(math.floor(100 * share_below), 99)} % of galaxies"


def _write(
    stem: Path, image: Image, name: str, explanation: Explanation, problem: str | None
) -> None:
    from galfeat.explain.picture import write_picture
    from galfeat.frame import as_rgb, measure_frame

    rgb = as_rgb(image)
    title = f"{name}: possibly not a galaxy" if problem else name
    write_picture(stem.with_name(stem.name + ".png"), rgb, measure_frame(rgb), explanation, title)
    with atomic_file(stem.with_name(stem.name + ".json")) as temporary:
        text = json.dumps(
            {"id": name, "problem": problem, **explanation.to_json()}, indent=2, ensure_ascii=False
        )
        temporary.write_text(text + "\n", encoding="utf-8")
