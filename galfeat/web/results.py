"""Classification results for the page and the API."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.errors import DataError, ModelError
from galfeat.explain import Explanation, explain, marks
from galfeat.explain.reasons import Reason
from galfeat.frame import measure_frame
from galfeat.predictions import doubts, no_galaxy
from galfeat.web.cautions import reduction_note, size_caution
from galfeat.web.uploads import Upload

#: Maximum number of reasons that refer to a feature; stronger ones that do not are added.
REASONS = 3

#: Coverage of the prediction sets of models that keep out-of-fold predictions.
COVERAGE = 0.9

#: Shorter side in pixels of images that the page enlarges until tenths of pixels are visible.
_ENLARGED = 100

Result = dict[str, Any]


def classify_images(
    classifier: GalaxyClassifier,
    images: Sequence[NDArray[np.uint8]],
    ids: Sequence[str],
    true_classes: Sequence[str | None],
) -> list[Result]:
    """Return for each image a row as of `galfeat classify`, with reasons and overlay lines.

    The reasons are those for the most probable class; `decision_note` is a sentence if the decision
    rule names another one, `set` is the prediction set if the model keeps out-of-fold predictions,
    and `cautions` are sentences on how far to trust the result: an image that may show no galaxy
    gets its class and the doubt. If no source is found, `galaxy` is False, `problem` is the
    explanation, the class is None and reasons and lines are empty.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted classifier.
    images : sequence of ndarray of uint8, shape (H, W, 3)
    ids : sequence of str
    true_classes : sequence of str or None
    """
    table = classifier.extractor_.extract(list(images))
    predictions = classifier.classify_table(table)
    names = [*map(str, predictions.classes), None]  # -1 means no class
    likely = [names[code] for code in predictions.most_probable]
    rows = predictions.rows(ids, true_classes)
    with suppress(DataError, ModelError):  # too few calibration rows, or none
        predictions = predictions.with_sets(COVERAGE)
    explanations = explain(classifier, table, predictions, of=likely)
    notes = map(predictions.note, range(len(images)))
    return [_result(*parts) for parts in zip(rows, explanations, notes, images, strict=True)]


def classify_upload(classifier: GalaxyClassifier, upload: Upload, name: str) -> Result:
    """Return the result of an upload, with lines in pixels of the image that was sent."""
    (result,) = classify_images(classifier, [upload.pixels], [name], [None])
    note, factor = reduction_note(upload), upload.factor
    if note is None:
        return result
    # The first pixel measured is a square of pixels sent, whose centre lies half a square away.
    marks_sent = [
        {**mark, "points": [[_sent(x, factor), _sent(y, factor)] for x, y in mark["points"]]}
        for mark in result["marks"]
    ]
    return {
        **result, "width": upload.width, "height": upload.height, "reduced_by": factor,
        "marks": marks_sent, "cautions": [note, *result["cautions"]] if result["galaxy"] else [],
    }  # fmt: skip


def _sent(position: float, factor: int) -> float:
    return round(factor * (position + 0.5) - 0.5, 1)


def _result(
    row: dict[str, Any], explanation: Explanation, note: str | None, image: NDArray[np.uint8]
) -> Result:
    height, width = image.shape[:2]
    frame = measure_frame(image)
    caution = None if frame is None else size_caution(frame, min(width, height))
    common = {
        "width": width, "height": height, "reduced_by": 1,
        "cautions": [*doubts(row["flags"]), *([caution] if caution else [])],
    }  # fmt: skip
    problem = no_galaxy(row["flags"])
    if frame is None:
        emptied = {
            name: None if name.startswith("p_") or name in ("class", "probability", "most_probable")
            else value for name, value in row.items()
        }  # fmt: skip
        return {
            **emptied, **common, "galaxy": False, "problem": problem, "decision_note": None,
            "set": None, "coverage": None, "reasons": [], "marks": [], "cautions": [],
        }  # fmt: skip
    decimals = 1 if min(width, height) >= _ENLARGED else 2
    return {
        **row, **common, "galaxy": True, "problem": None, "decision_note": note,
        "probabilities": explanation.probabilities,
        "set": list(explanation.prediction_set) or None, "coverage": explanation.coverage,
        "reasons": [reason.to_json() for reason in _strongest(explanation.reasons)],
        "marks": [
            {"name": mark.name, "points": np.round(mark.points, decimals).tolist()}
            for mark in marks(frame)
        ],
    }  # fmt: skip


def _strongest(reasons: Sequence[Reason]) -> list[Reason]:
    """Return the strongest reasons, down to the last of `REASONS` that refer to a feature."""
    named = [position for position, reason in enumerate(reasons) if reason.feature]
    return list(reasons[: named[:REASONS][-1] + 1] if named else reasons[:1])
