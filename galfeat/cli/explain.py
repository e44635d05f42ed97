"""``galfeat explain``: explain the predictions of a model."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from galfeat.cli.options import classifier_and_inputs, classifier_options
from galfeat.cli.probabilities import (
    adapted,
    assumptions,
    check_set_options,
    priors_option,
    set_options,
)
from galfeat.cli.terminal.prose import counted, none_readable, skipped_message
from galfeat.cli.terminal.streams import reader_left
from galfeat.errors import DataError
from galfeat.storage.atomic import atomic_file, ensure_folder_writable
from galfeat.storage.cells import printable, valid_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from galfeat.classifier import GalaxyClassifier
    from galfeat.data import DataSet
    from galfeat.explain import Explanation
    from galfeat.features import FeatureTable

    Image = NDArray[np.uint8]

#: Numbers of classes and of reasons printed.
_CLASSES, _REASONS = 3, 8
#: Galaxies explained at a time: the contributions of all columns to all classes take memory.
_AT_ONCE = 64


class _Notes(NamedTuple):
    """Why an image has no class, and sentences that cast doubt on the class it has."""

    problem: str | None
    doubts: list[str]


@click.command()
@click.option(
    "--of",
    metavar="CLASS",
    help="The class to explain. [default: the class predicted by the decision rule]",
)
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write a figure and a JSON file per galaxy to this folder.",
)
@set_options
@priors_option
@classifier_options
@click.pass_context
def explain(
    ctx: click.Context,
    inputs: tuple[str, ...],
    of: str | None,
    output: Path | None,
    coverage: float | None,
    calibrate: str | None,
    priors: str | None,
    trust: bool,
    images: str | None,
    jobs: int,
) -> None:
    """Show the reasons for and against the class predicted by MODEL.

    MODEL is by default the first of `galfeat models`. INPUT is image files, folders, patterns
    or a data set. Contributions of tree and linear members are grouped by what their features
    measure; a member that cannot be explained is listed as a whole. The contributions add up
    to the logarithm of the class probability over the geometric mean of all class
    probabilities. A predicted class that is not the most probable one is noted. An image
    without a source has no class. With --coverage, the classes a galaxy may have are listed,
    too; see `galfeat classify`.
    """
    check_set_options(coverage, calibrate)
    if output is not None:
        ensure_folder_writable(output)
    from galfeat.cli.inputs import note_stretched, open_images
    from galfeat.explain import explain as explain_table
    from galfeat.predictions import doubts, no_galaxy

    classifier, model, inputs = classifier_and_inputs(inputs, trust=trust, jobs=jobs)
    classifier = adapted(classifier, model, priors=priors, coverage=coverage, calibrate=calibrate)
    if not classifier.assumed_priors_.all():
        raise DataError(
            f"{priors} has a frequency of 0, and explanations compare with all classes; give a "
            "small frequency, such as 0.001"
        )
    facts = assumptions(classifier, coverage)
    opened = open_images(inputs, images=images)
    note_stretched(opened)
    failures: list[str] = []
    stems: set[str] = set()
    for rows, table in _readable(classifier, opened, failures):
        predictions = classifier.classify_table(table)
        if coverage is not None:
            predictions = predictions.with_sets(coverage)
        explanations = explain_table(classifier, table, predictions, of=of)
        for row, flags, explanation in zip(rows, predictions.flags, explanations, strict=True):
            name, notes = str(opened.ids[row]), _Notes(no_galaxy(flags), doubts(flags))
            click.echo(("\n" if stems else "") + _text(name, explanation, notes))
            stem = _stem(name, stems)
            if output is not None:
                output.mkdir(parents=True, exist_ok=True)
                image = cast("Image", opened.read([row])[0])
                _write_picture(output / stem, image, Path(name).name, explanation, notes)
                values = {"id": Path(name).name, **notes._asdict(), **explanation.to_json()}
                _write_json(output / stem, values | facts)
        if reader_left() and output is None:
            return
    if output is not None:
        click.echo(f"\n{counted(len(stems))} in {output}")
    if failures:
        skipped_message(failures, len(opened))
        ctx.exit(3)


def _readable(
    classifier: GalaxyClassifier, opened: DataSet, failures: list[str]
) -> Iterator[tuple[NDArray[np.intp], FeatureTable]]:
    """Yield the row numbers and features of readable images; add the others to `failures`.

    Raises
    ------
    DataError
        If no image could be read.
    """
    start = 0
    for batch in classifier.feature_batches(opened):
        for table in batch.batches(_AT_ONCE):
            failures += [
                error.naming(opened.ids[start + row]) for row, error in table.errors.items()
            ]
            usable = table.usable_rows()
            if len(usable):
                yield start + usable, table.select(usable)
            start += len(table.values)
    if len(failures) == len(opened):
        raise none_readable(failures[0], len(opened))


def _stem(name: str, used: set[str]) -> str:
    """Return an unused file stem for a galaxy, numbered if its name was used; mark it as used."""
    stem = Path(name).stem
    numbered = (f"{stem}-{number}" for number in count(2))
    unused = next(candidate for candidate in chain([stem], numbered) if candidate not in used)
    used.add(unused)
    return unused


def _text(name: str, explanation: Explanation, notes: _Notes) -> str:
    if explanation.predicted is None:
        return f"{printable(name)}: no class" + (f"\n  {notes.problem}" if notes.problem else "")
    lines = [f"{printable(name)}: {explanation.predicted}", *(f"  {d}" for d in notes.doubts)]
    if explanation.note:
        lines.append(f"  {explanation.note}")
    if explanation.set_note:
        lines.append(f"  {printable(explanation.set_note)}")
    shown = list(explanation.probabilities)[:_CLASSES]
    shown += [of for of in (explanation.predicted, explanation.of) if of and of not in shown]
    lines += [f"  {explanation.probabilities[of]:6.3f}  {of}" for of in dict.fromkeys(shown)]
    return "\n".join([*lines, *_reason_lines(explanation)])


def _reason_lines(explanation: Explanation) -> list[str]:
    lines = [f"reasons for and against {explanation.of}:"]
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
    return lines


def _rank_text(share_below: float) -> str:
    """Describe the rank of a value among the training galaxies."""
    if share_below < 0.5:
        return f"less than in {min(math.floor(100 * (1 - share_below)), 99)} % of galaxies"
    return f"more than in {min(math.floor(100 * share_below), 99)} % of galaxies"


def _write_picture(
    stem: Path, image: Image, name: str, explanation: Explanation, notes: _Notes
) -> None:
    from galfeat.explain.picture import write_picture
    from galfeat.frame import as_rgb, measure_frame

    rgb = as_rgb(image)
    title = ": ".join([printable(name), *_heading(notes)])
    write_picture(stem.with_name(stem.name + ".png"), rgb, measure_frame(rgb), explanation, title)


def _write_json(stem: Path, values: dict[str, Any]) -> None:
    with atomic_file(stem.with_name(stem.name + ".json")) as temporary:
        text = json.dumps(valid_json(values), indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def _heading(notes: _Notes) -> list[str]:
    """Return the first problem or doubt in a few words, if there is one."""
    if notes.problem:
        return ["no galaxy found"]
    return [doubt.split(":")[0].lower() for doubt in notes.doubts if ":" in doubt][:1]
