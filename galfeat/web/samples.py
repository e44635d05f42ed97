"""The galaxies behind the button: drawn once, measured once, answered from memory."""

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

#: Of each class.
PER_CLASS = 5
_QUALITY = 92


@dataclass(frozen=True, eq=False)
class Sample:
    """One galaxy behind the button.

    Attributes
    ----------
    picture : bytes
        A JPEG file.
    answer : dict
        What is said of it.
    content : bytes
        The same as JSON, as it is sent.
    """

    picture: bytes
    answer: dict[str, Any]
    content: bytes


def draw_samples(
    classifier: GalaxyClassifier,
    dataset: DataSet,
    known: ModelRows,
    seed: int = 0,
    *,
    threads: int = 2,
) -> list[Sample]:
    """Return galaxies of each class, as many of each, with what the classifier says of them.

    Galaxies that it has learned from are left out: of these it knows the answer.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted.
    dataset : DataSet
        With labels.
    known : ModelRows
        What it was fitted to.
    seed : int
    threads : int
        That measure them.

    Raises
    ------
    DataError
        If it has no labelled galaxy that can be read and that is new to the classifier.
    """
    rng = np.random.default_rng(seed)
    chosen: list[tuple[int, NDArray[np.uint8]]] = []
    for label in range(len(dataset.class_names)):
        rows = rng.permutation(np.flatnonzero(dataset.labels == label))
        new = _new_to(classifier, dataset, rows, known)
        chosen += [(label, image) for image in islice(new, PER_CLASS)]
    if not chosen:
        raise DataError(
            "there is no galaxy to show that is labelled, can be read and is new to the model; "
            "name another data set with --samples"
        )
    names = [str(name) for name in dataset.class_names]

    def measured(numbers: Sequence[int]) -> list[Sample]:
        images = [chosen[number][1] for number in numbers]
        true = [names[chosen[number][0]] for number in numbers]
        answers = classify_images(classifier, images, [f"sample-{n}" for n in numbers], true)
        return list(map(_sample, images, numbers, answers))

    # Parts of one size: with the size of a table the last bits of its sums change.
    everyone = range(len(chosen))
    parts = [everyone[first : first + PER_CLASS] for first in everyone[::PER_CLASS]]
    with ThreadPoolExecutor(threads) as pool:
        return [sample for part in pool.map(measured, parts) for sample in part]


def _new_to(
    classifier: GalaxyClassifier,
    dataset: DataSet,
    rows: NDArray[np.intp],
    known: ModelRows,
) -> Iterator[NDArray[np.uint8]]:
    """Read one image after another; give those that neither model nor features learned from."""
    for row in rows:
        (image,) = dataset.read([row])
        if not isinstance(image, np.ndarray):
            continue
        digest = np.frombuffer(pixel_digest(image), np.uint8)[None]
        group = None if dataset.groups is None else dataset.groups[[row]]
        by_features = trained_on(classifier.extractor_.families, digest)
        if not (known.learned(digest, group) | by_features).any():
            yield image


def _sample(image: NDArray[np.uint8], number: int, answer: dict[str, Any]) -> Sample:
    stream = io.BytesIO()
    Pillow.fromarray(image).save(stream, "JPEG", quality=_QUALITY)
    # The digest is for caches: with other samples the number is another galaxy's.
    address = f"samples/{number}.jpg?{pixel_digest(image).hex()[:8]}"
    whole = {**answer, "image": address, "number": number}
    return Sample(stream.getvalue(), whole, json.dumps(whole).encode())
