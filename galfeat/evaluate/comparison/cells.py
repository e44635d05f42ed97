"""Tables of the comparison page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from galfeat.evaluate.comparison import figures as figures
from galfeat.evaluate.report.figures import number


def signed(value: float) -> str:
    """Format a number with its sign."""
    return f"+{number(value, 3)}" if value > 0 else number(value, 3)


class Column(NamedTuple):
    """The head of a column.

    Attributes
    ----------
    name, note : str
        Plain text; the note is shown below the name, but not beside a value on a small screen.
    """

    name: str
    note: str = ""


class Cell(NamedTuple):
    """A cell of a table.

    Attributes
    ----------
    content : str
        HTML.
    attributes : str
        Attributes of the element, as HTML.
    """

    content: str
    attributes: str = ""


class Row(NamedTuple):
    """A row of a table: its head as HTML, and a cell for each column."""

    head: str
    cells: Sequence[Cell]


def pipeline_head(name: str, rank: int) -> str:
    """Return the head of a pipeline's row, with the pipeline's colour."""
    return f'<span class="swatch {figures.colour(rank)}"></span>{escape(name)}'


def table(
    kind: str, caption: str, columns: Sequence[Column], rows: Sequence[Row], first: str = "Pipeline"
) -> str:
    """Return a table whose rows a small screen shows as lists of columns and values.

    Parameters
    ----------
    kind : str
        Class of the element.
    caption : str
        HTML.
    columns : sequence of Column
        All but the first, which has the heads of the rows.
    rows : sequence of Row
    first : str
        Name of the first column.
    """
    head = "".join(f'<th scope="col">{_column_head(column)}</th>' for column in columns)
    body = "".join(_row(row, columns) for row in rows)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="Table by {first.lower()}">'
        f'<table class="{kind} stacked"><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">{first}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _column_head(column: Column) -> str:
    note = f"<br><small>{escape(column.note)}</small>" if column.note else ""
    return escape(column.name) + note


def _row(row: Row, columns: Sequence[Column]) -> str:
    cells = "".join(
        f'<td data-label="{escape(column.name)}" {cell.attributes}><div>{cell.content}</div></td>'
        for column, cell in zip(columns, row.cells, strict=True)
    )
    return f'<tr><th scope="row">{row.head}</th>{cells}</tr>'
