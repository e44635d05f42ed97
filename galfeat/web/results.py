"""Classification results for the page and the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.explain import Explanation, explain, marks
from galfeat.explain.reasons import Reason
from galfeat.frame import measure_frame
from galfeat.predictions import no_galaxy

#: Maximum number of reasons that refer to a feature; stronger ones that do not are added.
REASONS = 3

Result = dict[str, Any]


def classify_images(
    classifier: GalaxyClassifier,
    images: Sequence[NDArray[np.uint8]],
    ids: Sequence[str],
    true_classes: Sequence[str | None],
) -> list[Result]:
    """Return for each image a row as of `galfeat classify`, with reasons and overlay lines.

    If no galaxy is found, or an image of unknown class is unlike any training galaxy, `galaxy` is
    False, `problem` is the explanation, the class is None and reasons and lines are empty.

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
    explanations = explain(classifier, table, predictions)
    rows = predictions.rows(ids, true_classes)
    return [_result(*parts) for parts in zip(rows, explanations, images, strict=True)]


def _result(row: dict[str, Any], explanation: Explanation, image: NDArray[np.uint8]) -> Result:
    height, width = image.shape[:2]
    frame = measure_frame(image)
    size = {"width": width, "height": height}
    problem = no_galaxy(row["flags"])
    if frame is None or (problem and row["true_class"] is None):
        emptied = {
            name: None if name.startswith("p_") or name in ("class", "probability", "most_probable")
            else value for name, value in row.items()
        }  # fmt: skip
        return {
            **emptied, **size, "galaxy": False, "problem": problem, "reasons": [], "marks": [],
        }  # fmt: skip
    return {
        **row, **size, "galaxy": True, "problem": None,
        "probabilities": explanation.probabilities,
        "reasons": [reason.to_json() for reason in _strongest(explanation.reasons)],
        "marks": [
            {"name": mark.name, "points": np.round(mark.points, 1).tolist()}
            for mark in marks(frame)
        ],
    }  # fmt: skip


def _strongest(reasons: Sequence[Reason]) -> list[Reason]:
    """Return the strongest reasons, down to the last of `REASONS` that refer to a feature."""
    named = [position for position, reason in enumerate(reasons) if reason.feature]
    return list(reasons[: named[:REASONS][-1] + 1] if named else reasons[:1])
