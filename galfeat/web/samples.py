"""Sample galaxies: drawn and classified once, served from memory."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from galfeat.classifier import GalaxyClassifier
from galfeat.data import DataSet, pixel_digest
from galfeat.errors import DataError
from galfeat.features.registry import trained_on
from galfeat.model_io.rows import ModelRows
from galfeat.web.results import classify_images

#: Maximum number of samples per class.
PER_CLASS = 5
_QUALITY = 92


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample galaxy.

    Attributes
    ----------
    picture : bytes
        The image as a JPEG file.
    result : dict
        Its classification.
    json : bytes
        `result` as JSON.
    """

    picture: bytes
    result: dict[str, Any]
    json: bytes


def draw_samples(
    classifier: GalaxyClassifier,
    dataset: DataSet,
    model_rows: ModelRows,
    seed: int = 0,
    *,
    threads: int = 2,
) -> list[Sample]:
    """Draw up to `PER_CLASS` galaxies of each class and classify them.

    Galaxies that the classifier or its features were trained on are excluded.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted classifier.
    dataset : DataSet
        Labelled galaxies.
    model_rows : ModelRows
        Rows the classifier was fitted to.
    seed : int
    threads : int
        Number of threads that measure the galaxies.

    Raises
    ------
    DataError
        If there is no readable labelled galaxy that is new to the classifier.
    """
    rng = np.random.default_rng(seed)
    chosen: list[tuple[int, NDArray[np.uint8]]] = []
    for label in range(len(dataset.class_names)):
        rows = rng.permutation(np.flatnonzero(dataset.labels == label))
        new = _new_to(classifier, dataset, rows, model_rows)
        chosen += [(label, image) for image in islice(new, PER_CLASS)]
    if not chosen:
        raise DataError(
            "found no readable labelled galaxy that is new to the model; specify another data set "
            "with --samples"
        )
    names = [str(name) for name in dataset.class_names]

    def classified(numbers: Sequence[int]) -> list[Sample]:
        images = [chosen[number][1] for number in numbers]
        true = [names[chosen[number][0]] for number in numbers]
        results = classify_images(classifier, images, [f"sample-{n}" for n in numbers], true)
        return list(map(_sample, images, numbers, results))

    # Fixed batch size: the last bits of sums depend on the size of a table.
    numbers = range(len(chosen))
    batches = [numbers[first : first + PER_CLASS] for first in numbers[::PER_CLASS]]
    with ThreadPoolExecutor(threads) as pool:
        return [sample for batch in pool.map(classified, batches) for sample in batch]


def _new_to(
    classifier: GalaxyClassifier,
    dataset: DataSet,
    rows: NDArray[np.intp],
    model_rows: ModelRows,
) -> Iterator[NDArray[np.uint8]]:
    """Yield the readable images that neither the model nor its features were trained on."""
    for row in rows:
        (image,) = dataset.read([row])
        if not isinstance(image, np.ndarray):
            continue
        digest = np.frombuffer(pixel_digest(image), np.uint8)[None]
        group = None if dataset.groups is None else dataset.groups[[row]]
        by_features = trained_on(classifier.extractor_.families, digest)
        if not (model_rows.learned(digest, group) | by_features).any():
            yield image


def _sample(image: NDArray[np.uint8], number: int, classification: dict[str, Any]) -> Sample:
    stream = io.BytesIO()
    Pillow.fromarray(image).save(stream, "JPEG", quality=_QUALITY)
    # The digest keeps caches valid: with other samples the same number is a different galaxy.
    address = f"samples/{number}.jpg?{pixel_digest(image).hex()[:8]}"
    result = {**classification, "image": address, "number": number}
    return Sample(stream.getvalue(), result, json.dumps(result).encode())
