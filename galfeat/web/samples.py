"""The galaxies behind the button: drawn once, measured once, answered from memory."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from galfeat.classifier import GalaxyClassifier
from galfeat.data import DataSet, stratified_sample
from galfeat.errors import DataError
from galfeat.web.answers import answer_images

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


def draw_samples(classifier: GalaxyClassifier, dataset: DataSet, seed: int = 0) -> list[Sample]:
    """Return galaxies of each class, as many of each, with what the classifier says of them.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted.
    dataset : DataSet
        With labels.
    seed : int

    Raises
    ------
    DataError
        If it has no labelled galaxy that can be read.
    """
    rows = stratified_sample(dataset.labels, PER_CLASS, seed, dataset.class_names)
    chosen = dataset.select(rows)
    read = enumerate(chosen.read(np.arange(len(chosen))))
    readable = {row: image for row, image in read if isinstance(image, np.ndarray)}
    if not readable:
        raise DataError("there is no labelled galaxy to show; name a data set with --samples")
    names = [f"sample-{number}" for number in range(len(readable))]
    true = [str(chosen.class_names[chosen.labels[row]]) for row in readable]
    images = list(readable.values())
    answers = answer_images(classifier, images, names, true)
    return [
        _sample(image, number, answer)
        for number, (image, answer) in enumerate(zip(images, answers, strict=True))
    ]


def _sample(image: NDArray[np.uint8], number: int, answer: dict[str, Any]) -> Sample:
    stream = io.BytesIO()
    Pillow.fromarray(image).save(stream, "JPEG", quality=_QUALITY)
    whole = {**answer, "image": f"samples/{number}.jpg", "number": number}
    return Sample(stream.getvalue(), whole, json.dumps(whole).encode())
