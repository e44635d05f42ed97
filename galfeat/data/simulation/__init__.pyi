from .rerender import RerenderedDataSet as RerenderedDataSet
from .scene import Galaxy as Galaxy
from .scene import Scene as Scene
from .simulator import (
    Simulation as Simulation,
)
from .simulator import (
    simulate as simulate,
)
from .simulator import (
    simulate_file as simulate_file,
)

__all__ = [
    "Galaxy",
    "RerenderedDataSet",
    "Scene",
    "Simulation",
    "simulate",
    "simulate_file",
]
