"""The card of a trained network: its purpose, training data and training history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from galfeat.embedding.sources import Source

if TYPE_CHECKING:
    from galfeat.embedding.tasks import Plan
    from galfeat.embedding.training import Trained

_WIDTH, _HEIGHT, _MARGIN = 480, 220, 40
_SEEN = """Pixel digests of the {n_seen:,} real training images are in `seen.npy`. These images are
left out when classifiers are fitted to its activations, and rejected when they are scored."""
_NONE_SEEN = "It was not trained on real galaxies, so none need to be left out."


def card(
    command: str,
    sources: Sequence[Source],
    plan: Plan,
    trained: Trained,
    *,
    n_seen: int,
    size: int,
    versions: str,
    credit: str = "",
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    command : str
        The command line that trained the network.
    sources : sequence of Source
        Training data.
    plan, trained
        Settings and result of the training.
    n_seen : int
        Number of real images whose digests are stored next to the card.
    size : int
        Size of the network in bytes.
    versions : str
        Versions of galfeat and the libraries.
    credit : str
        Credit for images and labels.
    """
    settings = ", ".join(f"{name} {value}" for name, value in asdict(plan).items())
    best = trained.history[trained.best_epoch - 1]
    return f"""# A small network for galaxies

It maps a galaxy in its canonical frame (equalised brightness in a close and a wide view, and the
light in three bands, 64×64 pixels each) to 128 activations. It is an ONNX file of \
{size / 1e6:.2f} MB and runs on one core without PyTorch.

Trained by

```
{command}
```

with {versions}.

## Training data

{_sources_table(sources)}
{credit}

{_SEEN.format(n_seen=n_seen) if n_seen else _NONE_SEEN}
A tenth of the galaxies is used for early stopping; they count as training data too.

## Training

Each kind of label and each simulated parameter is a separate task; all tasks share the network.
{settings[0].upper()}{settings[1:]}. Out of {len(trained.history)} epochs, the weights are those of
epoch {trained.best_epoch}, averaged over steps, with a loss of {best["held_back"]:.3f} on the
validation galaxies. The result depends on the number of threads and on the processor.

![Loss by epoch](curve.svg)

## Limits

Images unlike the training data, such as those of another survey, may change the activations. The
activations have no names, so classifiers that use them cannot explain predictions in words. It has
not been tested on rare classes absent from the training data.
"""


def _sources_table(sources: Sequence[Source]) -> str:
    lines = ["| source | galaxies | labels | SHA-256 of pixels and labels |", "|---|---|---|---|"]
    for source in sources:
        kinds = "; ".join(
            f"{kind}: {', '.join(f'{name} {count:,}' for name, count in counts.items())}"
            for kind, counts in source.kinds.items()
        )
        lines.append(f"| {source.name} | {source.galaxies:,} | {kinds} | `{source.sha256}` |")
    return "\n".join(lines) + "\n"


def training_curve(history: Sequence[dict[str, float]], best_epoch: int) -> str:
    """Return an SVG chart of the loss by epoch."""
    losses = [entry[name] for entry in history for name in ("training", "held_back")]
    low, high = min(losses), max(losses)
    span = (high - low) or 1.0

    def x(epoch: float) -> float:
        return _MARGIN + (_WIDTH - 2 * _MARGIN) * (epoch - 1) / max(len(history) - 1, 1)

    def y(loss: float) -> float:
        return _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * (loss - low) / span

    def line(name: str, colour: str) -> str:
        points = " ".join(f"{x(entry['epoch']):.1f},{y(entry[name]):.1f}" for entry in history)
        return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'

    base = _HEIGHT - _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
            ' font-family="sans-serif" font-size="11">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
            f'<path d="M{_MARGIN} {_MARGIN / 2}V{base}H{_WIDTH - _MARGIN / 2}" fill="none"'
            ' stroke="#888"/>',
            f'<line x1="{x(best_epoch):.1f}" x2="{x(best_epoch):.1f}" y1="{_MARGIN / 2}"'
            f' y2="{base}" stroke="#888" stroke-dasharray="3"/>',
            line("training", "#0072b2"),
            line("held_back", "#d55e00"),
            f'<text x="{_MARGIN - 4}" y="{y(high):.0f}" text-anchor="end">{high:.2f}</text>',
            f'<text x="{_MARGIN - 4}" y="{y(low):.0f}" text-anchor="end">{low:.2f}</text>',
            f'<text x="{x(1):.0f}" y="{base + 16}">1</text>',
            f'<text x="{x(len(history)):.0f}" y="{base + 16}" text-anchor="end">'
            f"epoch {len(history)}</text>",
            f'<text x="{_WIDTH - 150}" y="{_MARGIN}" fill="#0072b2">training, augmented</text>',
            f'<text x="{_WIDTH - 150}" y="{_MARGIN + 16}" fill="#d55e00">validation</text>',
            "</svg>\n",
        ]
    )
