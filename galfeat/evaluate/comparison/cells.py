"""Tables of the comparison page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from galfeat.evaluate.comparison import figures as figures
from galfeat.evaluate.report.figures import number


def signed(value: float) -> str:
    """Format a number with its sign."""
    return f"+{number(value, 3)}" if value > 0 else number(value, 3)


def row_head(name: str, rank: int) -> str:
    """Return the header cell of a pipeline's row, with the pipeline's colour."""
    return f'<th scope="row"><span class="swatch {figures.colour(rank)}"></span>{escape(name)}</th>'


def table(kind: str, caption: str, head: str, rows: Sequence[str], first: str = "Pipeline") -> str:
    """Return a table in a horizontally scrolling region; `rows` are strings of HTML cells."""
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    head = f'<th scope="col">{first}</th>{head}'
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="Table by {first.lower()}">'
        f'<table class="{kind}"><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
