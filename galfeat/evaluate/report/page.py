"""A self-contained HTML page of sections: inline style, no external resources, no scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from galfeat.evaluate.report.sections import Section

_TAG = re.compile(r"<[^>]*>")


def page(
    kind: str, title: str, subtitle: str, sections: Sequence[Section | None], footer: str
) -> str:
    """Return a page as HTML.

    Parameters
    ----------
    kind : str
        Type of page, shown above the title.
    title, subtitle : str
        Title as plain text and subtitle as HTML.
    sections : sequence of Section or None
        Sections in order; None is skipped.
    footer : str
        Last line, as HTML.
    """
    shown = [section for section in sections if section is not None]
    return Template(_resource("report.html")).substitute(
        kind=escape(kind),
        title=escape(title),
        style=_resource("report.css"),
        subtitle=subtitle,
        description=_TAG.sub("", subtitle).replace('"', "&quot;"),
        contents="".join(
            f'<a href="#{part.anchor}">{part.anchor.capitalize()}</a>' for part in shown
        ),
        sections="".join(part.html() for part in shown),
        footer=footer,
    )


def _resource(name: str) -> str:
    return files("galfeat.evaluate.report").joinpath(name).read_text(encoding="utf-8")
