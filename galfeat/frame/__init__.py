"""The canonical frame: a galaxy with position, angle, inclination, size and stretch removed."""

from galfeat.frame.flags import Flag, describe_flags
from galfeat.frame.frame import Frame, measure_frame, whole_image_frame
from galfeat.frame.image import as_rgb
from galfeat.frame.views import View

__all__ = [
    "Flag",
    "Frame",
    "View",
    "as_rgb",
    "describe_flags",
    "measure_frame",
    "whole_image_frame",
]
