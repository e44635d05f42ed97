"""Sort numbers exactly, by radix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Numbers up to these are sorted by insertion, and with digits of 8 instead of 11 bits.
_FEW, _MANY = 48, 4000


@kernel
def ascending(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the indices that sort non-negative values in ascending order; stable."""
    number = values.size
    keys = values.view(np.uint32) & np.uint32(0x7FFFFFFF)  # no sign of zeros
    order, other = np.empty(number, np.int32), np.empty(number, np.int32)
    for i in range(number):
        order[i] = i
    if number < _FEW:
        for i in range(1, number):
            item = order[i]
            k = i - 1
            while k >= 0 and keys[order[k]] > keys[item]:
                order[k + 1] = order[k]
                k -= 1
            order[k + 1] = item
        return order
    bits = 8 if number < _MANY else 11
    digits, levels = (4, 256) if number < _MANY else (3, 2048)
    last = np.uint32(levels - 1)
    counts = np.zeros((digits, levels), np.int32)
    for i in range(number):
        key = keys[i]
        for digit in range(digits):
            counts[digit, (key >> np.uint32(bits * digit)) & last] += 1
    for digit in range(digits):
        count = counts[digit]
        before = np.int32(0)
        for level in range(levels):
            here = count[level]
            count[level] = before
            before += here
        shift = np.uint32(bits * digit)
        for k in range(number):
            i = order[k]
            level = (keys[i] >> shift) & last
            other[count[level]] = i
            count[level] += 1
        order, other = other, order
    return order


@kernel
def sorted_values(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return finite values of any sign in ascending order."""
    number = values.size
    sign, all_bits = np.uint32(0x80000000), np.uint32(0xFFFFFFFF)
    keys, other = np.empty(number, np.uint32), np.empty(number, np.uint32)
    bits = values.view(np.uint32)
    counts = np.zeros((3, 2048), np.int32)
    low, middle, high = counts[0], counts[1], counts[2]
    for i in range(number):
        key = bits[i]
        # Negative numbers in reverse, below the positive ones.
        key ^= all_bits if key & sign else sign
        keys[i] = key
        low[key & np.uint32(2047)] += 1
        middle[(key >> np.uint32(11)) & np.uint32(2047)] += 1
        high[key >> np.uint32(22)] += 1
    for digit in range(3):
        count = counts[digit]
        before = np.int32(0)
        for level in range(2048):
            here = count[level]
            count[level] = before
            before += here
        shift = np.uint32(11 * digit)
        for i in range(number):
            key = keys[i]
            level = (key >> shift) & np.uint32(2047)
            other[count[level]] = key
            count[level] += 1
        keys, other = other, keys
    for i in range(number):
        keys[i] ^= sign if keys[i] & sign else all_bits
    return keys.view(np.float32)
