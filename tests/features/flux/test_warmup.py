"""The kernels that `galfeat warmup` compiles are all that a measurement needs."""

import sys

import numpy as np
import pytest
from numba.core.registry import CPUDispatcher

from galfeat.features.flux import measure
from galfeat.features.flux.warmup import warmup


def signatures():
    return {
        f"{kernel.py_func.__module__}.{kernel.py_func.__name__}": set(kernel.signatures)
        for name, module in list(sys.modules.items())
        if name.startswith("galfeat.features.flux")
        for kernel in vars(module).values()
        if isinstance(kernel, CPUDispatcher)
    }


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16])
def test_nothing_is_compiled_after_the_warmup(disc, kind):
    warmup()
    before = signatures()
    image, labels, noise = disc
    mask = np.zeros(image.shape, bool)
    mask[10:12, 10:12] = True
    variance = np.full(image.shape, noise**2, np.float32)
    image = (100.0 * image).astype(kind)
    measure(image, segmentation=labels.astype(np.uint8), mask=mask, gain=2.0, psf=np.ones((5, 5)))
    measure(image, variance=1e4 * variance, positions=[(60, 60)], resamples=2)
    measure(image[::2, ::-1], sources="all")
    assert signatures() == before
