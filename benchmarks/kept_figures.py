"""The figures of the last run of the benchmark, and what became slower or faster since."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from galfeat.storage.atomic import atomic_file

#: A line is slower or faster if it takes this many times as much, or the other does.
TOLERANCE = 1.25
#: Units of which more is better; those that do not depend on how fast the machine is.
_RATES, _SIZES = ("images/s",), ("MB",)


@dataclass(frozen=True)
class Figure:
    """A number and its unit: µs, ms, s, images/s or MB."""

    value: float
    unit: str


@dataclass(frozen=True)
class Run:
    """What one run of the benchmark measured.

    Attributes
    ----------
    settings : dict
        What was measured; runs of other settings are not compared.
    calibration : float
        Time of a fixed piece of work that is not galfeat's, in the same run.
    figures : dict
        The figure of each line.
    """

    settings: dict[str, int]
    calibration: float
    figures: dict[str, Figure]


def compare_runs(now: Run, before: Run) -> list[str]:
    """Name the lines that changed by more than `TOLERANCE`, the worst first.

    Times are taken relative to the calibration of their run, so that a slower machine is not
    blamed on a line. Lines that only one of the runs has are left out.
    """
    if now.settings != before.settings:
        return []
    changes = {}
    for name, figure in now.figures.items():
        old = before.figures.get(name)
        if old is not None and old.unit == figure.unit and old.value > 0 and figure.value > 0:
            changes[name] = _cost(figure, now.calibration) / _cost(old, before.calibration)
    lines = []
    for name, change in sorted(changes.items(), key=lambda item: -item[1]):
        if not 1.0 / TOLERANCE <= change <= TOLERANCE:
            old, figure = before.figures[name], now.figures[name]
            more, less = ("larger", "smaller") if figure.unit in _SIZES else ("slower", "faster")
            word, times = (more, change) if change > 1.0 else (less, 1.0 / change)
            was = f"{old.value:.3g} to {figure.value:.3g} {figure.unit}"
            lines.append(f"{name}: {times:.2f}× {word} ({was})")
    return lines


def _cost(figure: Figure, calibration: float) -> float:
    if figure.unit in _SIZES:
        return figure.value
    time = 1.0 / figure.value if figure.unit in _RATES else figure.value
    return time / calibration


def read_run(path: Path) -> Run | None:
    """Return the run that was kept, or None where there is none that can be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        figures = {
            name: Figure(float(figure["value"]), str(figure["unit"]))
            for name, figure in kept["figures"].items()
        }
        return Run(dict(kept["settings"]), float(kept["calibration"]), figures)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_run(path: Path, run: Run) -> None:
    """Keep a run in place of the last one."""
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(asdict(run), indent=1) + "\n", encoding="utf-8")
