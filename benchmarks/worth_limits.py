"""What limits the score: labels, their number, or what is measured; see `worth.py`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from worth_fits import ALL, FOLDS, LabelledFits, calibrated
from worth_text import changed

from galfeat.data import DataSet, open_dataset
from galfeat.ensemble import decide
from galfeat.errors import DataError
from galfeat.evaluate.comparison.paired import OutOfFold, compare_predictions
from galfeat.evaluate.learning_curve import SHARES
from galfeat.evaluate.metrics import confusion_matrix, label_metrics
from galfeat.experiments.fits import AS_IT_IS

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Share of the labels that are replaced, to see what wrong ones do.
PLANTED = 0.05
#: So many pairs of classes are named that are taken for each other.
NAMED = 5


def suspected(y: Rows, probabilities: Floats) -> NDArray[np.bool_]:
    """Tell which labels confident learning doubts (Northcutt et al. 2021, JAIR 70, 1373).

    A row is confidently of a class if its probability reaches the mean of the rows that carry
    that label; it is doubted if the likeliest of those classes is not its own.
    """
    k = probabilities.shape[1]
    threshold = np.array([probabilities[y == index, index].mean() for index in range(k)])
    confident = probabilities >= threshold
    likeliest = np.where(confident, probabilities, -1.0).argmax(axis=1)
    doubted: NDArray[np.bool_] = confident.any(axis=1) & (likeliest != y)
    return doubted


def plant(y: Rows, k: int, seed: int) -> tuple[Rows, NDArray[np.bool_]]:
    """Replace a share of the labels by another class, drawn evenly."""
    rng = np.random.default_rng([seed, k])
    changed = np.zeros(len(y), dtype=bool)
    changed[rng.permutation(len(y))[: round(PLANTED * len(y))]] = True
    wrong = y.copy()
    wrong[changed] = (y[changed] + rng.integers(1, k, int(changed.sum()))) % k
    return wrong, changed


def curve_lines(fits: LabelledFits) -> list[str]:
    """Return a table of the score by the number of training labels."""
    answers = fits.answers(ALL)
    drawn = {f"{share:g}": answers[share, AS_IT_IS].first() for share in SHARES}
    found = fits.compared(drawn)
    lines = ["| training labels | macro-F1 | log loss |", "|---:|---:|---:|"]
    for share in SHARES:
        f1, loss = (found.scores[f"{share:g}"][metric] for metric in ("macro_f1", "log_loss"))
        number = fits.galaxies.mean_rows(share, fits.seed)
        lines.append(
            f"| {number:,} | {f1.mean:.3f} ({f1.low:.3f} to {f1.high:.3f}) | {loss.mean:.3f} |"
        )
    doubled = found.difference("1", "0.5")
    said = [f"{word} {changed(doubled, metric)}" for metric, word in
            (("macro_f1", "macro-F1"), ("log_loss", "log loss"))]  # fmt: skip
    return [*lines, "", f"The last doubling changes {' and '.join(said)}."]


def certainty_lines(fits: LabelledFits) -> list[str]:
    """Say how sure the model is of itself, and where it is wrong."""
    answers = fits.answers(ALL)[1.0, AS_IT_IS]
    names, y = fits.galaxies.names, fits.galaxies.y
    top = answers.probabilities.max(axis=2)
    right = answers.probabilities.argmax(axis=2) == y
    second = np.argsort(answers.probabilities, axis=2)[:, :, -2] == y
    clear = top >= np.median(top, axis=1, keepdims=True)
    mixed = [(share, f"{names[i]} and {names[j]} {share:.0%}")
             for (i, j), share in mixed_up(y, answers.predicted, len(names)).items()]  # fmt: skip
    named = ", ".join(text for _, text in sorted(mixed, reverse=True)[:NAMED])
    return [
        f"- The most probable class is right for {_percent(right)}; its calibrated probability "
        f"leads one to expect {_percent(top)}. The label is among the two most probable for "
        f"{_percent(right | second)}.",
        f"- The half it is surer of: {_percent(right[clear])} right. The other half: "
        f"{_percent(right[~clear])}.",
        f"- Of the wrong answers, one class is taken for the other between: {named}.",
    ]


def mixed_up(y: Rows, predicted: Rows, k: int) -> dict[tuple[int, int], float]:
    """Return which share of all wrong answers lies between each two classes.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        True classes.
    predicted : ndarray of int, shape (repeats, n)
        Those named.
    k : int
        Number of classes.
    """
    confusion = sum(confusion_matrix(y, named, k) for named in predicted)
    both = np.triu(confusion + np.transpose(confusion), 1)
    return {
        (int(i), int(j)): float(both[i, j] / both.sum())
        for i, j in zip(*both.nonzero(), strict=True)
    }


def planted_lines(fits: LabelledFits) -> list[str]:
    """Say what wrong labels would do, and how many there may be."""
    galaxies = fits.once
    wrong, changed = plant(galaxies.y, len(galaxies.names), fits.seed)

    def predict(split: int) -> Floats:
        _, _, train, test = galaxies.splits[split]
        fitted = fits.fitted(train, wrong, "none")
        return fitted.classify_table(fits.tables[AS_IT_IS].select(test)).probabilities

    said = np.empty((1, len(wrong), len(galaxies.names)))
    for split, chances in enumerate(fits.each(range(FOLDS), predict)):
        said[0, galaxies.splits[split][3]] = chances
    raw = {(1.0, AS_IT_IS): OutOfFold(said, said.argmax(axis=2))}
    planted = calibrated(replace(galaxies, y=wrong), raw)[1.0, AS_IT_IS]
    own = fits.answers(ALL)[1.0, AS_IT_IS].first()
    taught = fits.compared({"planted": planted, "own": own}).difference("planted", "own")
    f1 = [_macro_f1(galaxies.y, own.predicted[0]), _macro_f1(wrong, planted.predicted[0])]
    natural = suspected(galaxies.y, own.probabilities[0])
    doubted = suspected(wrong, planted.probabilities[0])
    found = float(doubted[changed].mean())
    value, low, high = taught.scores["macro_f1"]
    sure = own.probabilities[0][np.arange(len(wrong)), galaxies.y] < 0.02
    return [
        f"- With {_percent(changed)} of all labels replaced by another class at random, training "
        f"on them changes macro-F1, scored on the labels as they were, by {value:+.3f} "
        f"({low:+.3f} to {high:+.3f}); being scored on them too, by {f1[1] - f1[0]:+.3f}.",
        f"- Confident learning doubts {_percent(natural)} of the labels as they are, "
        f"{_percent(doubted[changed])} of those that were replaced and "
        f"{_percent(doubted[~changed])} of the others in the same fits. If wrong labels are as "
        f"easily found as planted ones, at most {min(1.0, natural.mean() / found):.0%} are wrong; "
        f"hard galaxies are doubted as well, so that it is fewer. Labels to which the model gives "
        f"less than 0.02: {_percent(sure)}.",
    ]


def source_lines(fits: LabelledFits, data: str) -> list[str]:
    """Say how well labels of one collection teach those of another.

    Nothing where the data do not tell, or two collections do not share all classes.
    """
    collection = collections_of(fits.dataset, data)
    y = fits.galaxies.y
    if collection is None or len(np.unique(collection)) < 2:
        return []
    names = _largest(collection)
    fewest = min(
        np.sum((y == index) & (collection == name)) for index in np.unique(y) for name in names
    )
    if fewest < 2 * FOLDS:
        return []
    taught = {name: OutOfFold(np.empty((1, len(y), len(fits.galaxies.names))),
                            np.empty((1, len(y)), dtype=np.intp)) for name in names}  # fmt: skip

    def teach(split: int) -> int:
        _, _, train, test = fits.galaxies.splits[split]
        drawn = matched_rows(y[train], collection[train], names, fits.seed)
        for name, rows in drawn.items():
            fitted = fits.fitted(train[rows])
            said = fitted.classify_table(fits.tables[AS_IT_IS].select(test)).probabilities
            taught[name].probabilities[0, test] = said
            taught[name].predicted[0, test] = decide(said, fitted.priors_, "balanced")
        return len(drawn[names[0]])

    number = round(np.mean(fits.each(range(FOLDS), teach)))
    lines = [
        f"| scored on | galaxies | taught by `{names[0]}` | taught by `{names[1]}` | difference |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in names:
        rows = np.flatnonzero(collection == name)
        part = {by: OutOfFold(a.probabilities[:, rows], a.predicted[:, rows])
                for by, a in taught.items()}  # fmt: skip
        found = compare_predictions(y[rows], part, fits.galaxies.names, seed=fits.seed)
        scores = [found.scores[by]["balanced_accuracy"].mean for by in names]
        value, low, high = found.difference(*names).scores["balanced_accuracy"]
        lines.append(
            f"| `{name}` | {len(rows):,} | {scores[0]:.3f} | {scores[1]:.3f} | "
            f"{value:+.3f} ({low:+.3f} to {high:+.3f}) |"
        )
    return [
        f"Labels of two collections, balanced accuracy; each taught by {number} galaxies of the "
        "same classes, which are then named by the rule `balanced`:", "", *lines,
    ]  # fmt: skip


def collections_of(dataset: DataSet, data: str) -> NDArray[np.str_] | None:
    """Return where the label of each row came from, None if the data do not tell."""
    try:
        every = open_dataset(data, label="label_source")
    except DataError:
        return None
    place = {name: row for row, name in enumerate(every.ids)}
    names = np.array([*every.class_names, ""])
    return names[every.labels[[place[name] for name in dataset.ids]]]


def matched_rows(
    y: Rows, collection: NDArray[np.str_], names: tuple[str, str], seed: int
) -> dict[str, Rows]:
    """Draw from each of two collections the same number of rows of each class."""
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[Rows]] = {name: [] for name in names}
    for index in np.unique(y):
        rows = {name: np.flatnonzero((y == index) & (collection == name)) for name in names}
        fewest = min(map(len, rows.values()))
        for name in names:
            drawn[name].append(rng.permutation(rows[name])[:fewest])
    return {name: np.sort(np.concatenate(parts)) for name, parts in drawn.items()}


def _largest(collection: NDArray[np.str_]) -> tuple[str, str]:
    names, counts = np.unique(collection, return_counts=True)
    first, second = names[np.argsort(-counts)][:2]
    return str(first), str(second)


def _macro_f1(y: Rows, predicted: Rows) -> float:
    k = int(max(y.max(), predicted.max())) + 1
    return float(label_metrics(confusion_matrix(y, predicted, k))["macro_f1"])


def _percent(share: NDArray[np.bool_] | Floats) -> str:
    return f"{100 * np.mean(share):.1f} %"
