"""Pictures of galaxies in the report: selection and layout."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from galfeat.evaluate.report.figures import percent
from galfeat.storage.cells import printable

Images = Callable[[int], NDArray[np.uint8] | None]

SHOWN = 50
MAX_PER_CLASS = 10
MISTAKES = 12
SIDE = 176
_QUALITY = 82


@dataclass(frozen=True)
class Gallery:
    """Galaxies with pictures, predictions and true classes.

    Attributes
    ----------
    images : callable
        Takes a row number and returns a uint8 RGB image of shape (H, W, 3), or None.
    ids : sequence of str, length n
    classes : sequence of str, length k
    truth, predicted : ndarray of int, shape (n,)
        Class indices; `predicted` is -1 for failed images.
    probabilities : ndarray, shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.report import Gallery
    >>> gallery = Gallery(
    ...     images=lambda row: np.full((8, 8, 3), 60 * row, np.uint8),
    ...     ids=["a", "b", "c"],
    ...     classes=["smooth", "disc"],
    ...     truth=np.array([0, 1, 1]),
    ...     predicted=np.array([0, 1, 0]),
    ...     probabilities=np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]),
    ... )
    >>> gallery.worst().count("<figure")
    1
    """

    images: Images
    ids: Sequence[str]
    classes: Sequence[str]
    truth: NDArray[np.integer]
    predicted: NDArray[np.integer]
    probabilities: NDArray[np.float64]

    def sample(self, seed: int) -> str:
        """Return the HTML of about 50 random galaxies, grouped by true class."""
        per_class = int(np.clip(SHOWN // len(self.classes), 1, MAX_PER_CLASS))
        rng = np.random.default_rng(seed)
        strips = []
        for index, name in enumerate(self.classes):
            rows = rng.permutation(np.flatnonzero(self._valid & (self.truth == index)))
            figures = list(islice(self._figures(rows), per_class))
            if figures:
                strips.append(
                    f'<div class="strip-of-class"><h3>{escape(name)}</h3>'
                    f'<div class="gallery">{"".join(figures)}</div></div>'
                )
        return "".join(strips[:SHOWN])

    def worst(self) -> str:
        """Return the HTML of the most confident mistakes; empty if there are none."""
        wrong = np.flatnonzero(self._valid & (self.predicted != self.truth))
        confidence = self.probabilities[wrong, self.predicted[wrong]]
        rows = wrong[np.argsort(-confidence, kind="stable")]
        figures = list(islice(self._figures(rows), MISTAKES))
        return f'<div class="gallery">{"".join(figures)}</div>' if figures else ""

    @property
    def _valid(self) -> NDArray[np.bool_]:
        return np.asarray((self.predicted >= 0) & np.isfinite(self.probabilities).all(axis=1))

    def _figures(self, rows: Iterable[np.intp]) -> Iterator[str]:
        """Yield a figure for each row with a picture."""
        for row in rows:
            image = self.images(int(row))
            if image is not None:
                yield self._figure(int(row), image)

    def _figure(self, row: int, image: NDArray[np.uint8]) -> str:
        predicted, true = int(self.predicted[row]), int(self.truth[row])
        right = predicted == true
        name, true_name = escape(self.classes[predicted]), escape(self.classes[true])
        probability = percent(self.probabilities[row, predicted])
        galaxy = escape(printable(self.ids[row]))
        short = escape(printable(PurePath(self.ids[row]).name))
        verdict = "right" if right else "wrong"
        label = "correct" if right else "wrong"
        truth = (
            ""
            if right
            else (
                f'<span class="truth">true: {true_name} '
                f"<small>{percent(self.probabilities[row, true])}</small></span>"
            )
        )
        mark = f'<span class="sign">{"✓" if right else "✗"} {label}</span>'
        return (
            f'<figure class="{verdict}"><img src="{thumbnail(image)}" width="{SIDE}" '
            f'height="{SIDE}" loading="lazy" alt="Galaxy {galaxy}: predicted {name} '
            f'({probability}), {label}; true class {true_name}"><figcaption>{mark}'
            f'<span class="named">{name} <small>{probability}</small></span>{truth}'
            f'<span class="id" title="{galaxy}">{short}</span></figcaption></figure>'
        )


def thumbnail(image: NDArray[np.uint8]) -> str:
    """Return a small JPEG of an image, shape (H, W, 3), as a data URI."""
    from PIL import Image

    picture = Image.fromarray(image)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
