"""The card of a trained network: what it is, what it has seen, how its training went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from galfeat.embedding.sources import Source

if TYPE_CHECKING:
    from galfeat.embedding.tasks import Plan
    from galfeat.embedding.training import Trained

_WIDTH, _HEIGHT, _MARGIN = 480, 220, 40
_SEEN = """The digests of the pixels of the {n_seen:,} real images are in `seen.npy`. Images among
them are left out where classifiers are fitted on its activations, and refused where they are
scored: of these it knows the answer."""
_NONE_SEEN = "It has seen no real galaxy, so there is none that it knows the answer of."


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
        The command line that made the network.
    sources : sequence of Source
        What it was trained on.
    plan, trained
        How, and what came of it.
    n_seen : int
        Real images whose digests lie beside the card.
    size : int
        Bytes of the network.
    versions : str
        Of galfeat and the libraries.
    credit : str
        Whose images and labels they are.
    """
    settings = ", ".join(f"{name} {value}" for name, value in asdict(plan).items())
    best = trained.history[trained.best_epoch - 1]
    return f"""# A small network for galaxies

It turns a galaxy in its canonical frame (equalised brightness near and wide, and the light in
three bands, 64×64 pixels each) into 128 activations. It is {size / 1e6:.2f} MB of ONNX and runs on
one core without PyTorch.

Made by

```
{command}
```

with {versions}.

## What it has seen

{_sources_table(sources)}
{credit}

{_SEEN.format(n_seen=n_seen) if n_seen else _NONE_SEEN}
A tenth of the galaxies told when to stop; they count as seen too.

## Training

Every kind of label and every drawn parameter is a task of its own; all share the network.
{settings[0].upper()}{settings[1:]}. Of the {len(trained.history)} epochs that were made
the weights are those of epoch {trained.best_epoch}, averaged over steps, with a loss of
{best["held_back"]:.3f} on the galaxies held back. The result depends on the number of threads
and on the processor.

![The loss by epoch](curve.svg)

## Limits

Another survey than those it was trained on, or simulated, may move the activations. They have no
names; classifiers that use them cannot say why in words. It has not been asked for fairness to rare
classes that it was not trained on.
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
    """Return the loss by epoch as an SVG picture."""
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
            f'<text x="{_WIDTH - 150}" y="{_MARGIN + 16}" fill="#d55e00">held back</text>',
            "</svg>\n",
        ]
    )
