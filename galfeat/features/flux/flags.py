"""Flags of the measurement of flux: what is doubtful about it, in words."""

from __future__ import annotations

(
    NO_LIGHT, NO_SKY_BOX, SKY_NOT_SUBTRACTED, CENTRE_MASKED, CENTROID_OUTSIDE, MOMENTS,
    CENTRE_UNCERTAIN, NO_CLEAN_CENTRE, CENTRE_LEFT_IMAGE, PETROSIAN_UNRESOLVED,
    PETROSIAN_BEYOND_IMAGE, SEVERAL_PARTS, NO_GINI_SEGMENT, FULL_GINI_SEGMENT, MID_UNDEFINED,
    SEGMENTS_DIFFER, NO_OUTLINE, AT_EDGE, SERSIC_FAILED, SERSIC_AT_BOUND, SERSIC_SKIPPED,
    NO_SOURCE, OUTSIDE_IMAGE, OFF_CENTRE,
) = (1 << bit for bit in range(24))  # fmt: skip

#: Word, quality and meaning of each flag. Qualities: 0 good, 1 suspect, 2 bad, 4 not measured.
FLAGS: dict[int, tuple[str, int, str]] = {
    NO_LIGHT: ("no-light", 4, "the light of the segment is not positive; nothing is measured"),
    NO_SKY_BOX: ("no-sky-box", 2, "no box of sky; statistics are not corrected for the sky"),
    SKY_NOT_SUBTRACTED: (
        "sky-not-subtracted", 2, "the mean of the sky exceeds its standard deviation",
    ),
    CENTRE_MASKED: ("centre-masked", 2, "the centroid or the centre of asymmetry is masked"),
    CENTROID_OUTSIDE: ("centroid-outside", 2, "the centroid is outside; the middle is used"),
    MOMENTS: ("negative-moments", 2, "a second moment is not positive"),
    CENTRE_UNCERTAIN: (
        "centre-uncertain", 1, "the centre of asymmetry was sought from the brightest pixel",
    ),
    NO_CLEAN_CENTRE: (
        "no-centre", 2, "no centre of asymmetry near centroid or peak; the centroid is used",
    ),
    CENTRE_LEFT_IMAGE: ("centre-left-image", 1, "the search for the centre left the image"),
    PETROSIAN_UNRESOLVED: ("petrosian-unresolved", 2, "a Petrosian radius is below one pixel"),
    PETROSIAN_BEYOND_IMAGE: (
        "petrosian-beyond-image", 2, "a Petrosian radius is not reached in the cut-out",
    ),
    SEVERAL_PARTS: ("several-parts", 1, "the Gini segment has other parts, which are left out"),
    NO_GINI_SEGMENT: ("no-gini-segment", 2, "no pixel reaches the level of the Gini segment"),
    FULL_GINI_SEGMENT: ("full-gini-segment", 2, "the Gini segment is the whole cut-out"),
    MID_UNDEFINED: ("mid-undefined", 0, "the MID segment is undefined; the Gini segment is used"),
    SEGMENTS_DIFFER: ("segments-differ", 1, "Gini and MID segment overlap by less than a quarter"),
    NO_OUTLINE: ("no-outline", 2, "nothing reaches the level of the outline"),
    AT_EDGE: ("at-edge", 1, "the segment touches the edge of the image or many blank pixels"),
    SERSIC_FAILED: ("sersic-failed", 0, "the Sérsic fit did not converge"),
    SERSIC_AT_BOUND: ("sersic-at-bound", 0, "a parameter of the Sérsic fit is at its bound"),
    NO_SOURCE: ("no-source", 4, "no source was found at the position; nothing is measured"),
    OUTSIDE_IMAGE: (
        "outside-image", 4, "the position is outside the image; nothing is measured",
    ),
    OFF_CENTRE: (
        "off-centre", 2, "no source at the centre of the image; the nearest one is measured",
    ),
    SERSIC_SKIPPED: ("sersic-skipped", 0, "too few pixels for the Sérsic fit"),
}  # fmt: skip


def describe(flags: int) -> str:
    """Return the words of the flags that are set, separated by spaces.

    Examples
    --------
    >>> from galfeat.features.flux.flags import AT_EDGE, NO_SKY_BOX, describe
    >>> describe(AT_EDGE | NO_SKY_BOX)
    'no-sky-box at-edge'
    """
    return " ".join(word for flag, (word, _, _) in FLAGS.items() if flags & flag)


def quality(flags: int) -> int:
    """Return the largest quality of the flags that are set: 0 good to 4 not measured.

    Examples
    --------
    >>> from galfeat.features.flux.flags import NO_SKY_BOX, quality
    >>> quality(0), quality(NO_SKY_BOX)
    (0, 2)
    """
    return max((level for flag, (_, level, _) in FLAGS.items() if flags & flag), default=0)
