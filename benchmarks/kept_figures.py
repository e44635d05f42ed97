"""Stored figures of the last benchmark run, and changes since."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from galfeat.storage.atomic import atomic_file

#: Lines that change by more than this factor are reported as slower or faster.
TOLERANCE = 1.25
#: Units for which higher is better; units independent of the speed of the machine.
_RATES, _SIZES = ("images/s",), ("MB",)


@dataclass(frozen=True)
class Figure:
    """A number and its unit: µs, ms, s, images/s or MB."""

    value: float
    unit: str


@dataclass(frozen=True)
class Run:
    """The results of one benchmark run.

    Attributes
    ----------
    settings : dict
        Settings of the run; only runs with equal settings are compared.
    calibration : float
        Time of a fixed task outside galfeat, in the same run.
    figures : dict
        The figure of each line.
    """

    settings: dict[str, int]
    calibration: float
    figures: dict[str, Figure]


def compare_runs(now: Run, before: Run) -> list[str]:
    """Describe the lines that changed by more than `TOLERANCE`, the worst first.

    Times are relative to the calibration of their run, so a slower machine has no effect. Lines
    that occur in only one of the runs are ignored.
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
            worse, better = ("larger", "smaller") if figure.unit in _SIZES else ("slower", "faster")
            label, factor = (worse, change) if change > 1.0 else (better, 1.0 / change)
            values = f"{old.value:.3g} to {figure.value:.3g} {figure.unit}"
            lines.append(f"{name}: {factor:.2f}× {label} ({values})")
    return lines


def _cost(figure: Figure, calibration: float) -> float:
    if figure.unit in _SIZES:
        return figure.value
    time = 1.0 / figure.value if figure.unit in _RATES else figure.value
    return time / calibration


def read_run(path: Path) -> Run | None:
    """Return the stored run, or None if there is no readable one."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        figures = {
            name: Figure(float(figure["value"]), str(figure["unit"]))
            for name, figure in stored["figures"].items()
        }
        return Run(dict(stored["settings"]), float(stored["calibration"]), figures)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_run(path: Path, run: Run) -> None:
    """Store a run, replacing the last one."""
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(asdict(run), indent=1) + "\n", encoding="utf-8")
