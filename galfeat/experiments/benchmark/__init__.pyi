from .plan import BenchmarkPlan as BenchmarkPlan
from .run import run_benchmark as run_benchmark
from .split import Split as Split
from .split import make_split as make_split

__all__ = ["BenchmarkPlan", "Split", "make_split", "run_benchmark"]
