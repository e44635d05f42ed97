from .display import asinh_rgb as asinh_rgb
from .display import read_fits as read_fits
from .flux import read_flux as read_flux

__all__ = ["asinh_rgb", "read_fits", "read_flux"]
