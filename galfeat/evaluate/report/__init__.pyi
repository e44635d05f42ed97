from .pictures import Gallery as Gallery
from .report import write_report as write_report
from .sections import Section as Section

__all__ = [
    "Gallery",
    "Section",
    "write_report",
]
