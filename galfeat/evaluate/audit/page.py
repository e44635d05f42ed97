"""The self-contained HTML page of an audit of labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from galfeat.evaluate.audit.result import Audit
from galfeat.evaluate.report.figures import percent
from galfeat.evaluate.report.page import page
from galfeat.evaluate.report.pictures import SIDE, Images, thumbnail
from galfeat.evaluate.report.sections import Section, facts_section
from galfeat.storage.cells import printable

MISLABELS, SETS, PER_SET, OTHERS, UNREADABLE = 60, 24, 6, 36, 50
"""Galaxies, sets of rows, rows of a set, images without a galaxy, and errors shown."""

_FOOTER = (
    "Every probability is predicted by a model that was fitted without the galaxy, its copies and "
    "its group. Thumbnails are re-encoded; judge fine detail on the original images."
)


def audit_page(
    audit: Audit,
    images: Images,
    *,
    facts: Mapping[str, str] | None = None,
    title: str = "Audit of labels",
) -> str:
    """Return an audit as a self-contained HTML page with pictures.

    Parameters
    ----------
    audit : Audit
    images : callable
        Takes a row number and returns the uint8 RGB image of shape (H, W, 3), or None if it is
        not readable. Called only for the rows shown, about 250 at most.
    facts : mapping of str to str, optional
        Facts about data and run, shown in this order.
    title : str
        Heading of the page.

    Returns
    -------
    str
        The page, without scripts and external resources.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import find_groups
    >>> from galfeat.evaluate.audit import Audit, audit_page
    >>> audit = Audit(
    ...     ids=["a", "b", "c"],
    ...     classes=["smooth", "disc"],
    ...     given=np.array([0, 1, 1]),
    ...     probabilities=np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]),
    ...     flags=["", "", ""],
    ...     not_galaxies={},
    ...     grouping=find_groups(np.arange(48, dtype=np.uint8).reshape(3, 16)),
    ... )
    >>> page = audit_page(audit, lambda row: np.zeros((16, 16, 3), np.uint8))
    >>> page.startswith("<!DOCTYPE html>"), page.count("<figure")
    (True, 3)
    """
    probable = int(audit.probable.sum())
    figures = _Figures(audit, images)
    subtitle = (
        f"{probable:,} of {len(audit.ranked):,} labels are probably wrong"
        if len(audit.ranked)
        else "No label could be ranked"
    )
    parts = [
        _summary(audit, probable),
        _mislabels(audit, figures),
        _sets(
            "conflicts",
            "One galaxy, several labels",
            "Rows of one position, or copies of one image, that have different labels. At least "
            "one of them is wrong. No model was fitted to them.",
            audit.grouping.conflicts(),
            figures,
        ),
        _sets(
            "duplicates",
            "Duplicates",
            "Rows of one position, or copies of one image, with one label. They were kept on one "
            "side of every split.",
            audit.grouping.consistent(),
            figures,
        ),
        _not_galaxies(audit, figures),
        _unreadable(audit),
        facts_section(facts),
    ]
    return page("galfeat audit", title, subtitle, parts, _FOOTER)


def rows_shown(audit: Audit) -> NDArray[np.intp]:
    """Return the rows whose images `audit_page` shows, in ascending order."""
    sets = [*audit.grouping.conflicts()[:SETS], *audit.grouping.consistent()[:SETS]]
    parts = [audit.ranked[:MISLABELS], *(rows[:PER_SET] for rows in sets)]
    return np.unique([*np.concatenate(parts).tolist(), *list(audit.not_galaxies)[:OTHERS]]).astype(
        np.intp
    )


def _summary(audit: Audit, probable: int) -> Section:
    n = len(audit.ranked)
    text = (
        '<p class="lead">Look at the labels below from the top: they are sorted by how strongly '
        f"models that have not seen a galaxy contradict its label. {probable:,} labels "
        f"({percent(probable / max(n, 1))}) are probable mislabels: another class reaches a "
        "probability that is typical of it. The model may be wrong, too, above all on rare "
        "classes.</p>"
    )
    if audit.unranked:
        small = ", ".join(
            f"{escape(printable(name))} ({number:,})" for name, number in audit.unranked.items()
        )
        text += f"<p>Not ranked, because they have too few galaxies: {small}.</p>"
    rows = "".join(_class_row(audit, index, name) for index, name in enumerate(audit.classes))
    return Section(
        "summary",
        "Summary",
        f'{text}<div class="wide" role="region" tabindex="0" aria-label="Labels by class">'
        '<table class="plain"><caption>Probable mislabels by class</caption><thead><tr>'
        '<th scope="col">Label</th><th scope="col">Galaxies</th>'
        '<th scope="col">Probable mislabels</th><th scope="col">Most often suggested</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>",
    )


def _class_row(audit: Audit, index: int, name: str) -> str:
    of_class = audit.given == index
    wrong = np.flatnonzero(of_class & audit.probable)
    suggestions = np.bincount([audit.suggested(row) for row in wrong.tolist()], minlength=1)
    most = int(suggestions.argmax())
    often = (
        f"{escape(printable(audit.classes[most]))} ({suggestions[most]:,})" if len(wrong) else "–"
    )
    return (
        f'<tr><th scope="row">{escape(printable(name))}</th><td>{of_class.sum():,}</td>'
        f"<td>{len(wrong):,}</td><td>{often}</td></tr>"
    )


def _mislabels(audit: Audit, figures: _Figures) -> Section:
    rows = audit.ranked[:MISLABELS]
    text = (
        f"<p>The {len(rows)} most doubtful of {len(audit.ranked):,} labels; the table has all. A "
        "✗ marks probable mislabels.</p>"
    )
    return Section("mislabels", "Most doubtful labels", text + figures.gallery(rows.tolist()))


def _sets(
    anchor: str, heading: str, text: str, sets: Sequence[NDArray[np.intp]], figures: _Figures
) -> Section | None:
    if not sets:
        return None
    parts = []
    for number, rows in enumerate(sets[:SETS], start=1):
        shown = rows[:PER_SET].tolist()
        more = f"<p>and {len(rows) - PER_SET:,} more</p>" if len(rows) > PER_SET else ""
        parts.append(
            f'<div class="strip-of-class"><h3>{number}. {len(rows):,} rows</h3>'
            f"{figures.gallery(shown)}{more}</div>"
        )
    total = sum(map(len, sets))
    first = f"; the first {SETS} are shown" if len(sets) > SETS else ""
    count = f"<p>{text} {total:,} rows in {len(sets):,} sets{first}.</p>"
    return Section(anchor, heading, count + "".join(parts))


def _not_galaxies(audit: Audit, figures: _Figures) -> Section | None:
    rows = list(audit.not_galaxies)
    if not rows:
        return None
    first = f"; the first {OTHERS} are shown" if len(rows) > OTHERS else ""
    text = (
        f"<p>{len(rows):,} images have no source, or features that hardly any of the other "
        f"galaxies has{first}. They may show stars, noise or artefacts, or unusual galaxies.</p>"
    )
    return Section(
        "images", "Images that may show no galaxy", text + figures.gallery(rows[:OTHERS])
    )


def _unreadable(audit: Audit) -> Section | None:
    if not audit.unreadable:
        return None
    items = "".join(
        f"<li>{escape(printable(audit.ids[row]))}: {escape(printable(str(error)))}</li>"
        for row, error in sorted(audit.unreadable.items())[:UNREADABLE]
    )
    total = len(audit.unreadable)
    first = f" The first {UNREADABLE}:" if total > UNREADABLE else ""
    return Section(
        "unreadable",
        "Unreadable images",
        f"<p>{total:,} images cannot be read, and are not ranked.{first}</p><ul>{items}</ul>",
    )


class _Figures:
    """Pictures of galaxies with their labels and the suggested classes."""

    def __init__(self, audit: Audit, images: Images) -> None:
        self._audit, self._images = audit, images
        self._probable = audit.probable
        self._rank = {int(row): rank for rank, row in enumerate(audit.ranked, start=1)}

    def gallery(self, rows: Iterable[int]) -> str:
        """Return the figures of rows; those without a picture show its absence."""
        return f'<div class="gallery">{"".join(map(self._figure, rows))}</div>'

    def _figure(self, row: int) -> str:
        audit = self._audit
        galaxy = escape(printable(audit.ids[row]))
        short = escape(printable(PurePath(audit.ids[row]).name))
        sign, numbers, spoken = self._verdict(row)
        flags = escape(audit.flags[row].replace(";", ", ").replace("_", " "))
        note = f'<span class="truth">{flags}</span>' if row in audit.not_galaxies else ""
        image = self._images(row)
        picture = (
            f'<img src="{thumbnail(image)}" width="{SIDE}" height="{SIDE}" loading="lazy" '
            f'alt="Galaxy {galaxy}: label {spoken}">'
            if image is not None
            else "<p>no picture</p>"
        )
        kind = "wrong" if self._probable[row] else "right"
        return (
            f'<figure class="{kind}">{picture}<figcaption>{sign}{numbers}{note}'
            f'<span class="id" title="{galaxy}">{short}</span></figcaption></figure>'
        )

    def _verdict(self, row: int) -> tuple[str, str, str]:
        """Return the rank, the label and the suggested class, and the latter as plain text."""
        audit, given = self._audit, self._audit.given[row]
        label = escape(printable(audit.classes[given]))
        if row not in self._rank:
            sign = '<span class="sign">not ranked</span>'
            return sign, f'<span class="named">{label}</span>', f"{label}, not ranked"
        numbers, best = audit.probabilities[row], audit.suggested(row)
        own, mark = percent(numbers[given]), "✗ " if self._probable[row] else ""
        sign = f'<span class="sign">{mark}no. {self._rank[row]:,}</span>'
        named = f'<span class="named">{label} <small>{own}</small></span>'
        if best == given:
            return sign, named, f"{label} ({own})"
        name, likely = escape(printable(audit.classes[best])), percent(numbers[best])
        named += f'<span class="truth">rather {name} <small>{likely}</small></span>'
        verdict = ", probably wrong" if self._probable[row] else ""
        return sign, named, f"{label} ({own}){verdict}; rather {name} ({likely})"
