"""Quality flags: why a measurement is missing or unreliable."""

from __future__ import annotations

from enum import IntFlag


class Flag(IntFlag):
    """Bits of the ``flags`` column.

    Examples
    --------
    >>> from galfeat.frame import Flag
    >>> Flag.OFF_EDGE | Flag.ROUND
    <Flag.OFF_EDGE|ROUND: 72>
    """

    #: The image could not be read. Every feature is NaN.
    UNREADABLE = 1
    #: No light above the sky near the centre. Every feature is NaN.
    NO_SOURCE = 2
    #: The galaxy reaches at least three sides of the image: the sky level is uncertain.
    FILLS_FRAME = 4
    #: More than a tenth of the galaxy's ellipse lies outside the image.
    OFF_EDGE = 8
    #: The half-light radius is less than two pixels.
    TOO_SMALL = 16
    #: The galaxy's peak is less than ten times the noise of the smoothed image.
    TOO_FAINT = 32
    #: Axis ratio above 0.9: no position angle; aligned features are means over rotations.
    ROUND = 64
    #: Axis ratio below 0.25: not deprojected; features of the deprojected view are NaN.
    EDGE_ON = 128
    #: A companion of comparable light touches the galaxy: the ellipse may be wrong.
    BLENDED = 256
    #: All channels are equal, as in an image of one band: features of colour are NaN.
    ONE_BAND = 512


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

    Examples
    --------
    >>> from galfeat.frame import describe_flags
    >>> describe_flags(72.0)
    'off_edge;round'
    """
    bits = Flag(int(value))
    return ";".join((flag.name or "").lower() for flag in Flag if flag in bits)
