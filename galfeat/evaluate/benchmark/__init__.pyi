from .page import benchmark_page as benchmark_page
from .published import PUBLISHED as PUBLISHED
from .published import PublishedScore as PublishedScore
from .result import Benchmark as Benchmark
from .result import CurvePoint as CurvePoint
from .result import SplitSummary as SplitSummary
from .text import benchmark_text as benchmark_text

__all__ = [
    "PUBLISHED",
    "Benchmark",
    "CurvePoint",
    "PublishedScore",
    "SplitSummary",
    "benchmark_page",
    "benchmark_text",
]
