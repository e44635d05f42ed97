"""Why a measurement could not be made, or should not be trusted."""

from __future__ import annotations

from enum import IntFlag


class Flag(IntFlag):
    """Bits of the ``flags`` column."""

    #: The image could not be read. Every feature is NaN.
    UNREADABLE = 1
    #: No light above the sky near the centre. Every feature is NaN.
    NO_SOURCE = 2
    #: The galaxy reaches the border on several sides: the sky level is a guess.
    FILLS_FRAME = 4
    #: More than a tenth of the galaxy's ellipse lies outside the image.
    OFF_EDGE = 8
    #: Half of the light lies within two pixels of the centre.
    TOO_SMALL = 16
    #: The galaxy's peak is less than ten times the noise of the smoothed image.
    TOO_FAINT = 32
    #: Rounder than an axis ratio of 0.9: no position angle; aligned features average over turns.
    ROUND = 64
    #: Flatter than an axis ratio of 0.25: not deprojected; those features are NaN.
    EDGE_ON = 128
    #: A companion of comparable light touches the galaxy: position angle and tilt may be its doing.
    BLENDED = 256


def describe_flags(value: float) -> str:
    """Return the names of the bits that are set, in lower case and joined by semicolons.

    Parameters
    ----------
    value : float
        A value of the ``flags`` column.

    Returns
    -------
    str
        For instance ``"off_edge;round"``; empty if no bit is set.
    """
    bits = Flag(int(value))
    return ";".join((flag.name or "").lower() for flag in Flag if flag in bits)
