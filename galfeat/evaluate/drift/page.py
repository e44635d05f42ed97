"""The page of a comparison of two data sets: histograms and pictures of the worst features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from galfeat.evaluate.drift.histogram import histogram
from galfeat.evaluate.drift.records import RATE, Drift, FeatureDrift
from galfeat.evaluate.drift.text import decimals, p_value
from galfeat.evaluate.report import Section
from galfeat.evaluate.report.figures import bar, percent
from galfeat.evaluate.report.page import page
from galfeat.evaluate.report.pictures import Images, thumbnail
from galfeat.storage.cells import printable

#: Features with a histogram, and rows of the full table.
WORST, LISTED = 12, 100
#: Quantiles of a feature at which pictures are shown.
_SHOWN_AT = ((0.02, "low"), (0.5, "typical"), (0.98, "high"))


@dataclass(frozen=True)
class DriftSet:
    """One of the data sets of a page.

    Attributes
    ----------
    title : str
    values : mapping of str to ndarray of float, shape (n,)
        Values by feature.
    images : callable or None
        Takes a row and returns an image, shape (H, W, 3), or None; None without images.
    ids : sequence of str, length n

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.drift import DriftSet
    >>> DriftSet("SDSS", {"shape.gini": np.array([0.4, 0.5])}).images is None
    True
    """

    title: str
    values: Mapping[str, NDArray[np.floating]]
    images: Images | None = None
    ids: Sequence[str] = ()


def drift_page(
    drift: Drift,
    a: DriftSet,
    b: DriftSet,
    *,
    meanings: Mapping[str, str],
    facts: Mapping[str, str],
    apart: tuple[Sequence[int], Sequence[int]] = ((), ()),
) -> str:
    """Return a comparison as a self-contained HTML page.

    Parameters
    ----------
    drift : Drift
    a, b : DriftSet
        The rows that were compared. Without values in `a`, as for a model, no histograms.
    meanings : mapping of str to str
        Meaning of features.
    facts : mapping of str to str
        Shown at the end.
    apart : pair of sequences of int
        Rows of A and B that a classifier tells apart most easily.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.drift import Drift, DriftSet, FeatureDrift, drift_page
    >>> feature = FeatureDrift("shape.gini", "shape", 2.0, 1.0, 0.001, 1.0, 3.0, 0.0, 0.0)
    >>> sets = [DriftSet(name, {"shape.gini": np.arange(9.0)}) for name in ("SDSS", "DECaLS")]
    >>> html = drift_page(Drift(9, 9, (feature,), ()), *sets, meanings={}, facts={})
    >>> html.count("<svg class=")  # a histogram and the bar of a family
    2
    """
    style = files("galfeat.evaluate.drift").joinpath("drift.css").read_text("utf-8")
    sections = [
        _summary(drift, a, b),
        _features(drift, a, b, meanings, f"<style>{style}</style>"),
        _apart(a, b, apart),
        _families(drift),
        _flags(drift),
        _table(drift),
        _facts(facts),
    ]
    subtitle = (
        f"{escape(printable(a.title))} ({drift.n_a:,} images) against "
        f"{escape(printable(b.title))} ({drift.n_b:,} images)"
    )
    return page("galfeat drift", "Do two data sets differ?", subtitle, sections, "galfeat")


def _summary(drift: Drift, a: DriftSet, b: DriftSet) -> Section:
    share = drift.n_different / len(drift.features)
    cards = [_card("Features that differ", f"{drift.n_different} of {len(drift.features)}",
                   f"At a false discovery rate of {100 * RATE:.0f} %.")]  # fmt: skip
    if drift.separation is not None:
        value, low, high = drift.separation
        cards.append(
            _card(
                "Separation",
                f"{value:.3f}",
                f"Area under the ROC curve of a random forest that tells A from B out of fold; "
                f"95 % interval {low:.3f} to {high:.3f}. 0.5 is chance.",
            )
        )
    worst = drift.features[0]
    if worst.differs:
        cards.append(
            _card(
                "Largest distance",
                decimals(worst.distance),
                f"{worst.name}, in units of the spread in A.",
            )
        )
    if not drift.n_different:
        lead = "No feature differs significantly."
    else:
        lead = (
            f"{percent(share)} of the features differ. A model fitted to A may be less accurate "
            "on B, and its probabilities less well calibrated, as far as it uses these."
        )
    names = (
        f'<p><span class="swatch-a"></span><em>A</em> {escape(printable(a.title))}'
        f'<br><span class="swatch-b"></span><em>B</em> {escape(printable(b.title))}</p>'
    )
    return Section(
        "summary", "Summary", f'<p class="lead">{lead}</p>{names}<div class="cards">'
        f"{''.join(cards)}</div>",
    )  # fmt: skip


def _card(name: str, value: str, meaning: str) -> str:
    return (
        f'<div class="card"><h3>{name}</h3><p class="value">{value}</p>'
        f'<p class="meaning">{escape(meaning)}</p></div>'
    )


def _features(
    drift: Drift, a: DriftSet, b: DriftSet, meanings: Mapping[str, str], style: str
) -> Section:
    """Return a histogram and pictures for each of the worst features."""
    different = [feature for feature in drift.features if feature.differs]
    shown = _one_of_each_kind(different)[:WORST]
    cards = "".join(_feature(feature, a, b, meanings) for feature in shown)
    if not shown:
        cards = "<p>No feature differs significantly.</p>"
    note = (
        '<p class="note">Distance: how far the values moved (Wasserstein), in units of half the '
        "range of 68 % of the values in A. KS: largest difference of the cumulative "
        "distributions. p: false discovery rate of this feature and all worse ones. A filled, B "
        "as a line; the ticks below the axis are medians. Pictures at the 2nd, 50th and 98th "
        "percentile. Of similar features, such as those of three bands, only the worst is "
        "shown.</p>"
    )
    return Section("features", "Worst features", style + note + cards)


def _one_of_each_kind(features: Sequence[FeatureDrift]) -> list[FeatureDrift]:
    """Return the first feature of each kind: those whose names begin with the same two parts."""
    first: dict[str, FeatureDrift] = {}
    for feature in features:
        first.setdefault(".".join(feature.name.split(".")[:2]), feature)
    return list(first.values())


def _feature(feature: FeatureDrift, a: DriftSet, b: DriftSet, meanings: Mapping[str, str]) -> str:
    drawn = ""
    if feature.name in a.values:
        values = (data.values[feature.name].astype(np.float64) for data in (a, b))
        drawn = histogram(feature.name, *values)
    numbers = (
        f"distance {decimals(feature.distance)} · KS {decimals(feature.ks)} · "
        f"p {p_value(feature.p)} · median {decimals(feature.median_a)} → "
        f"{decimals(feature.median_b)}"
    )
    pictures = "".join(
        _strip(name, data, feature.name) for name, data in (("A", a), ("B", b)) if data.images
    )
    meaning = escape(meanings.get(feature.name, ""))
    return (
        f'<div class="drifted"><div class="chart"><h3><code>{escape(feature.name)}</code></h3>'
        f'<p class="note">{meaning}</p>{drawn}<p class="note">{numbers}</p></div>'
        f'<div class="examples">{pictures}</div></div>'
    )


def _strip(name: str, data: DriftSet, feature: str) -> str:
    """Return pictures of a data set from low to high values of a feature."""
    values = data.values[feature]
    order = np.argsort(values, kind="stable")[: np.count_nonzero(np.isfinite(values))]
    figures = []
    for share, label in _SHOWN_AT:
        row = int(order[round(share * (len(order) - 1))])
        figures.append(_picture(name, data, row, f"{label}: {decimals(float(values[row]))}"))
    return f'<div class="strip-{name.lower()}">{"".join(figures)}</div>'


def _picture(name: str, data: DriftSet, row: int, caption: str = "") -> str:
    """Return an image with a caption, its own name by default; empty if it cannot be read."""
    image = None if data.images is None else data.images(row)
    if image is None:
        return ""
    galaxy = escape(printable(PurePath(str(data.ids[row])).name))
    shown = escape(caption) or galaxy
    return (
        f'<figure><img src="{thumbnail(image)}" width="96" height="96" loading="lazy" '
        f'alt="{name}, {shown}" title="{galaxy}"><figcaption>{shown}</figcaption></figure>'
    )


def _apart(a: DriftSet, b: DriftSet, apart: tuple[Sequence[int], Sequence[int]]) -> Section | None:
    strips = []
    for name, data, rows in (("A", a, apart[0]), ("B", b, apart[1])):
        figures = "".join(_picture(name, data, int(row)) for row in rows)
        if figures:
            strips.append(f'<div class="strip-{name.lower()}">{figures}</div>')
    if not strips:
        return None
    note = (
        '<p class="note">The images that the random forest assigns to their own data set with the '
        "highest probability, out of fold: what is typical of one and rare in the other.</p>"
    )
    return Section("apart", "Most easily told apart", note + "".join(strips))


def _families(drift: Drift) -> Section:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td><span class="figure">{different} of {n}</span>'
        f'{bar(different / n)}</td><td class="count">{decimals(distance)}</td></tr>'
        for name, (n, different, distance) in drift.families().items()
    )
    return Section(
        "families", "Families",
        '<table class="families"><thead><tr><th scope="col">family</th><th scope="col">features '
        'that differ</th><th scope="col" class="count">median distance</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>",
    )  # fmt: skip


def _flags(drift: Drift) -> Section | None:
    if not drift.flags:
        return None
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(flag.name)}</code></th>'
        f"<td>{100 * flag.share_a:.1f} %</td><td>{100 * flag.share_b:.1f} %</td>"
        f"<td>{p_value(flag.p)}</td></tr>"
        for flag in drift.flags
    )
    return Section("flags", "Flags", _plain(["flag", "A", "B", "p"], rows))


def _table(drift: Drift) -> Section:
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(feature.name)}</code></th>'
        f"<td>{decimals(feature.distance)}</td><td>{decimals(feature.ks)}</td>"
        f"<td>{p_value(feature.p)}</td><td>{decimals(feature.median_a)}</td>"
        f"<td>{decimals(feature.median_b)}</td></tr>"
        for feature in drift.features[:LISTED]
    )
    more = len(drift.features) - LISTED
    note = f'<p class="note">{more} more features in the JSON file.</p>' if more > 0 else ""
    header = ["feature", "distance", "KS", "p", "median A", "median B"]
    return Section("table", "All features", _plain(header, rows) + note)


def _plain(header: Sequence[str], rows: str) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in header)
    return (
        f'<div class="wide"><table class="plain"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _facts(facts: Mapping[str, str]) -> Section:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(printable(value))}</td></tr>'
        for name, value in facts.items()
    )
    return Section("facts", "Run", f'<table class="plain"><tbody>{rows}</tbody></table>')
