"""Feature families and kernels of galfeat, paired with reference implementations.

Both use the same views, segments and parameters. A reference may cover only part of a family;
its time is then the time for that part.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2hsv
from skimage.exposure import histogram
from skimage.feature import graycomatrix, graycoprops, hog, local_binary_pattern
from skimage.measure import label, regionprops
from skimage.transform import warp_polar

from galfeat.features.hog import CELLS, cell_histograms
from galfeat.features.registry import family_module
from galfeat.features.texture.glcm import cooccurrence, haralick
from galfeat.features.texture.lbp import binary_patterns
from galfeat.features.texture.zernike import ORDER, zernike_moments
from galfeat.frame import Frame, View, measure_frame

_ANGLES = (0.0, 0.25 * np.pi, 0.5 * np.pi, 0.75 * np.pi)
_LEVELS, _DISTANCES = 16, (1, 3, 6)
_PROPERTIES = ("contrast", "correlation", "energy", "homogeneity", "entropy")
_MIDDLE, _RADIUS = 31.5, 31.5


@dataclass(frozen=True)
class Pair:
    """The same task in galfeat and in a reference package.

    Attributes
    ----------
    name, own, items
        The task in galfeat, and its inputs.
    reference_name, reference, reference_items
        The task in the reference, and its inputs if different.
    package : str
        The package of the reference.
    goal : float or None
        Required speed-up of galfeat.
    max_items, rounds : int
        Maximum number of inputs, and number of rounds, to time the reference.
    """

    name: str
    own: Callable[[Any], object]
    items: Sequence[Any]
    reference_name: str
    reference: Callable[[Any], object]
    package: str = "skimage"
    goal: float | None = None
    reference_items: Sequence[Any] | None = None
    max_items: int = 30
    rounds: int = 3

    @property
    def installed(self) -> bool:
        """Whether the package of the reference is installed."""
        return find_spec(self.package) is not None

    @property
    def measured_by_reference(self) -> Sequence[Any]:
        """The inputs the reference is timed on."""
        items = self.items if self.reference_items is None else self.reference_items
        return items[: self.max_items]


def pairs(images: Sequence[NDArray[np.uint8]], frames: Sequence[Frame]) -> Iterator[Pair]:
    """Yield the pairs to compare: kernels, then whole families."""
    views = [frame.aligned[0].equalised for frame in frames]
    levels = [levels_of(view) for view in views]
    yield Pair("frame", measure_frame, images, "label, regionprops", _segment)
    yield Pair("HOG cells", _cells, views, "hog, same view and cells", _skimage_hog, goal=60.0)
    whole = [np.ascontiguousarray(image.mean(axis=2), dtype=np.float32) for image in images]
    yield Pair("HOG cells, whole image", _cells, whole, "hog, same image and cells", _skimage_hog)
    yield Pair(
        "LBP", lambda view: binary_patterns(view, 3, 0.0), views,
        "local_binary_pattern", lambda view: local_binary_pattern(view, 8, 3, "uniform"),
        reference_items=levels,
    )  # fmt: skip
    yield Pair("GLCM", _own_pairs, levels, "graycomatrix, graycoprops", _skimage_pairs)
    yield Pair("GLCM properties", _own_pairs, levels, "haralick", _mahotas_pairs, package="mahotas")
    yield Pair(
        "Zernike moments",
        lambda view: zernike_moments(view, _RADIUS, _MIDDLE, _MIDDLE), views,
        "zernike_moments", _mahotas_zernike, package="mahotas",
    )  # fmt: skip
    for family, name, reference, package, goal in (
        ("hog", "hog of every view", _hog_of_views, "skimage", 60.0),
        ("colour", "rgb2hsv, histogram of each channel", _histograms, "skimage", None),
        ("radial", "RadialProfile, CurveOfGrowth", _profiles, "photutils", None),
        ("shape", "SourceCatalog: moments, Gini, radii", _catalogue, "photutils", None),
        ("fourier", "warp_polar and numpy's rfft", _polar_transform, "skimage", None),
        ("texture", "local_binary_pattern, graycomatrix", _textures, "skimage", None),
        ("texture", "zernike_moments, haralick", _mahotas_textures, "mahotas", None),
        ("morphology", "SourceMorphology", _statmorph, "statmorph", 300.0),
    ):
        max_items, rounds = (5, 1) if package == "statmorph" else (30, 3)
        own = family_module(family).measure
        yield Pair(
            family, own, frames, name, reference, package, goal, max_items=max_items, rounds=rounds
        )


def levels_of(view: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a view quantised to sixteen levels between its minimum and maximum."""
    low, high = float(view.min()), float(view.max())
    scaled = (view - low) * (_LEVELS / max(high - low, 1e-6))
    levels: NDArray[np.uint8] = np.minimum(scaled, _LEVELS - 1).astype(np.uint8)
    return levels


def _views(frame: Frame) -> list[View]:
    deprojected = () if frame.deprojected is None else (frame.deprojected,)
    return [*frame.aligned, *deprojected, *frame.context]


def _cells(view: NDArray[np.float32]) -> object:
    return cell_histograms(view, CELLS)


def _skimage_hog(view: NDArray[np.float32]) -> object:
    side = view.shape[0] // CELLS
    return hog(view, 9, (side, side), (1, 1), block_norm="L2")


def _hog_of_views(frame: Frame) -> object:
    return [_skimage_hog(view.equalised) for view in _views(frame)]


def _segment(rgb: NDArray[np.uint8]) -> object:
    grey = rgb.mean(axis=2)
    labels = label(grey > np.median(grey) + 5.0)
    return [(r.area, r.orientation, r.axis_major_length) for r in regionprops(labels, grey)[:3]]


def _histograms(frame: Frame) -> object:
    hsv = rgb2hsv(np.moveaxis(frame.aligned[0].light, 0, 2))
    return [histogram(hsv[..., k], 10) for k in range(3)]


def _polar_transform(frame: Frame) -> object:
    return [
        np.fft.rfft(warp_polar(view.equalised, radius=32, output_shape=(128, 32)), axis=0)
        for view in _views(frame)[: -len(frame.context)]
    ]


def _own_pairs(levels: NDArray[np.uint8]) -> object:
    return haralick(cooccurrence(levels, _LEVELS, 1))


def _skimage_pairs(levels: NDArray[np.uint8], distance: int = 1) -> object:
    counts = graycomatrix(levels, [distance], _ANGLES, _LEVELS, symmetric=True, normed=True)
    return [graycoprops(counts, name).mean() for name in _PROPERTIES]


def _mahotas_pairs(levels: NDArray[np.uint8], distance: int = 1) -> object:
    from mahotas.features import haralick as measure

    return measure(levels, return_mean=True, distance=distance)


def _mahotas_zernike(view: NDArray[np.float32]) -> object:
    from mahotas.features import zernike_moments as measure

    return measure(view.astype(float), _RADIUS, ORDER, (_MIDDLE, _MIDDLE))


def _textures(frame: Frame) -> object:
    results = []
    for view in frame.aligned[:2]:
        levels = levels_of(view.equalised)
        results += [local_binary_pattern(levels, 8, radius, "uniform") for radius in (1, 3)]
        results += [_skimage_pairs(levels, distance) for distance in _DISTANCES]
    return results


def _mahotas_textures(frame: Frame) -> object:
    results = []
    for view in frame.aligned[:2]:
        levels = levels_of(view.equalised)
        results.append(_mahotas_zernike(view.equalised))
        results += [_mahotas_pairs(levels, distance) for distance in _DISTANCES]
    return results


def _profiles(frame: Frame) -> object:
    from photutils.profiles import CurveOfGrowth, RadialProfile

    centre, edges = (frame.xc, frame.yc), np.linspace(0.0, frame.radius, 17)
    profile = RadialProfile(frame.grey, centre, edges)
    growth = CurveOfGrowth(frame.grey, centre, edges[1:])
    return profile.profile, profile.profile_error, growth.profile


def _catalogue(frame: Frame) -> object:
    from photutils.segmentation import SegmentationImage, SourceCatalog

    segments = SegmentationImage((frame.labels == frame.galaxy + 1).astype(np.int32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = SourceCatalog(frame.grey, segments)
        radii = [found.fluxfrac_radius(share) for share in (0.2, 0.5, 0.9)]
        return found.ellipticity, found.orientation, found.gini, radii


def _statmorph(frame: Frame) -> object:
    from statmorph import SourceMorphology

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SourceMorphology(frame.grey.astype(float), frame.labels, frame.galaxy + 1, gain=1.0)
