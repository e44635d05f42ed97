"""What the page and the API say of a galaxy."""

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

#: Reasons with names that are told, and the weightier ones without.
REASONS = 3

Answer = dict[str, Any]


def classify_images(
    classifier: GalaxyClassifier,
    images: Sequence[NDArray[np.uint8]],
    ids: Sequence[str],
    true_classes: Sequence[str | None],
) -> list[Answer]:
    """Return for each image the row of `galfeat classify`, with reasons and lines to draw.

    Where no galaxy is found, or nothing like the ones the classifier was fitted on where it is not
    known what it is, `galaxy` is False, `problem` says why, and there is no class and no reason.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted.
    images : sequence of ndarray of uint8, shape (H, W, 3)
    ids : sequence of str
    true_classes : sequence of str or None
    """
    table = classifier.extractor_.extract(list(images))
    said = classifier.classify_table(table)
    found = explain(classifier, table, said)
    rows = said.rows(ids, true_classes)
    return [_answer(row, one, image) for row, one, image in zip(rows, found, images, strict=True)]


def _answer(row: dict[str, Any], found: Explanation, image: NDArray[np.uint8]) -> Answer:
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
        "probabilities": found.probabilities,
        "reasons": [reason.to_json() for reason in _told(found.reasons)],
        "marks": [
            {"name": mark.name, "points": np.round(mark.points, 1).tolist()}
            for mark in marks(frame)
        ],
    }  # fmt: skip


def _told(reasons: Sequence[Reason]) -> list[Reason]:
    """Return the strongest reasons down to the last that is told of those with names."""
    named = [place for place, reason in enumerate(reasons) if reason.feature]
    return list(reasons[: named[:REASONS][-1] + 1] if named else reasons[:1])
