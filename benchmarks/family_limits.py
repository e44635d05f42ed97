"""What limits the score: label noise, number of labels, or features; see `feature_families.py`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from family_fits import ALL, FOLDS, LabelledFits, calibrated
from family_text import difference_text
from numpy.typing import NDArray

from galfeat.data import DataSet, open_dataset
from galfeat.ensemble import decide
from galfeat.errors import DataError
from galfeat.evaluate.comparison.paired import OutOfFold, compare_predictions
from galfeat.evaluate.learning_curve import SHARES
from galfeat.evaluate.metrics import confusion_matrix, label_metrics
from galfeat.experiments.fits import ORIGINAL

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Share of labels replaced, to measure the effect of wrong labels.
PLANTED = 0.05
#: Number of confused pairs of classes listed.
MAX_PAIRS = 5


def suspected(y: Rows, probabilities: Floats) -> NDArray[np.bool_]:
    """Return the labels that confident learning suspects (Northcutt et al. 2021, JAIR 70, 1373).

    A row confidently belongs to a class if its probability reaches the mean over the rows with
    that label. Its label is suspected if the most probable of these classes is a different one.
    """
    k = probabilities.shape[1]
    threshold = np.array([probabilities[y == index, index].mean() for index in range(k)])
    confident = probabilities >= threshold
    likeliest = np.where(confident, probabilities, -1.0).argmax(axis=1)
    result: NDArray[np.bool_] = confident.any(axis=1) & (likeliest != y)
    return result


def plant(y: Rows, k: int, seed: int) -> tuple[Rows, NDArray[np.bool_]]:
    """Replace a share of the labels by a different class, drawn uniformly."""
    rng = np.random.default_rng([seed, k])
    changed = np.zeros(len(y), dtype=bool)
    changed[rng.permutation(len(y))[: round(PLANTED * len(y))]] = True
    wrong = y.copy()
    wrong[changed] = (y[changed] + rng.integers(1, k, int(changed.sum()))) % k
    return wrong, changed


def curve_lines(fits: LabelledFits) -> list[str]:
    """Return a table of the score by the number of training labels."""
    predictions = fits.predictions(ALL)
    by_share = {f"{share:g}": predictions[share, ORIGINAL].first() for share in SHARES}
    comparison = fits.compared(by_share)
    lines = ["| training labels | macro-F1 | log loss |", "|---:|---:|---:|"]
    for share in SHARES:
        f1, loss = (comparison.scores[f"{share:g}"][metric] for metric in ("macro_f1", "log_loss"))
        number = fits.galaxies.mean_rows(share, fits.seed)
        lines.append(
            f"| {number:,} | {f1.mean:.3f} ({f1.low:.3f} to {f1.high:.3f}) | {loss.mean:.3f} |"
        )
    doubled = comparison.difference("1", "0.5")
    texts = [f"{title} by {difference_text(doubled, metric)}" for metric, title in
             (("macro_f1", "macro-F1"), ("log_loss", "log loss"))]  # fmt: skip
    return [*lines, "", f"The last doubling changes {' and '.join(texts)}."]


def certainty_lines(fits: LabelledFits) -> list[str]:
    """Describe the confidence of the model and its most frequent confusions."""
    predictions = fits.predictions(ALL)[1.0, ORIGINAL]
    names, y = fits.galaxies.names, fits.galaxies.y
    top = predictions.probabilities.max(axis=2)
    correct = predictions.probabilities.argmax(axis=2) == y
    second = np.argsort(predictions.probabilities, axis=2)[:, :, -2] == y
    confident = top >= np.median(top, axis=1, keepdims=True)
    confused = [(share, f"{names[i]} and {names[j]} {share:.0%}")
                for (i, j), share
                in confusion_shares(y, predictions.predicted, len(names)).items()]  # fmt: skip
    listed = ", ".join(text for _, text in sorted(confused, reverse=True)[:MAX_PAIRS])
    return [
        f"- The most probable class is correct for {_percent(correct)} of galaxies, compared with "
        f"{_percent(top)} expected from its calibrated probability. The label is among the two "
        f"most probable classes for {_percent(correct | second)}.",
        f"- For the half with higher confidence, {_percent(correct[confident])} "
        f"are correct, for the other half {_percent(correct[~confident])}.",
        f"- Most frequent confusions, as a share of wrong predictions: {listed}.",
    ]


def confusion_shares(y: Rows, predicted: Rows, k: int) -> dict[tuple[int, int], float]:
    """Return the share of wrong predictions that confuse each pair of classes.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        True classes.
    predicted : ndarray of int, shape (repeats, n)
        Predicted classes.
    k : int
        Number of classes.
    """
    confusion = sum(confusion_matrix(y, repeat, k) for repeat in predicted)
    both = np.triu(confusion + np.transpose(confusion), 1)
    return {
        (int(i), int(j)): float(both[i, j] / both.sum())
        for i, j in zip(*both.nonzero(), strict=True)
    }


def planted_lines(fits: LabelledFits) -> list[str]:
    """Describe the effect of wrong labels, and bound their number."""
    galaxies = fits.once
    wrong, changed = plant(galaxies.y, len(galaxies.names), fits.seed)

    def predict(split: int) -> Floats:
        _, _, train, test = galaxies.splits[split]
        fitted = fits.fitted(train, wrong, "none")
        return fitted.classify_table(fits.tables[ORIGINAL].select(test)).probabilities

    pooled = np.empty((1, len(wrong), len(galaxies.names)))
    for split, probabilities in enumerate(fits.each(range(FOLDS), predict)):
        pooled[0, galaxies.splits[split][3]] = probabilities
    raw = {(1.0, ORIGINAL): OutOfFold(pooled, pooled.argmax(axis=2))}
    planted = calibrated(replace(galaxies, y=wrong), raw)[1.0, ORIGINAL]
    own = fits.predictions(ALL)[1.0, ORIGINAL].first()
    effect = fits.compared({"planted": planted, "own": own}).difference("planted", "own")
    f1 = [_macro_f1(galaxies.y, own.predicted[0]), _macro_f1(wrong, planted.predicted[0])]
    natural = suspected(galaxies.y, own.probabilities[0])
    suspects = suspected(wrong, planted.probabilities[0])
    recall = float(suspects[changed].mean())
    value, low, high = effect.scores["macro_f1"]
    improbable = own.probabilities[0][np.arange(len(wrong)), galaxies.y] < 0.02
    return [
        f"- With {_percent(changed)} of labels replaced by a random different class, training on "
        f"them changes macro-F1 on the original labels by {value:+.3f} "
        f"({low:+.3f} to {high:+.3f}), and macro-F1 on the replaced labels by "
        f"{f1[1] - f1[0]:+.3f}.",
        f"- Confident learning suspects {_percent(natural)} of the original labels, "
        f"{_percent(suspects[changed])} of the replaced labels and "
        f"{_percent(suspects[~changed])} of the others in the same fits. If wrong labels are found "
        f"as easily as replaced ones, at most {min(1.0, natural.mean() / recall):.0%} are wrong; "
        "the true share is lower, because difficult galaxies are suspected too. Labels with a "
        f"predicted probability below 0.02: {_percent(improbable)}.",
    ]


def source_lines(fits: LabelledFits, data: str) -> list[str]:
    """Describe how well a model trained on one collection of labels predicts another.

    Empty if the data do not name the collections, or two of them do not share all classes.
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
    trained = {name: OutOfFold(np.empty((1, len(y), len(fits.galaxies.names))),
                               np.empty((1, len(y)), dtype=np.intp)) for name in names}  # fmt: skip

    def train_on_each(split: int) -> int:
        _, _, train, test = fits.galaxies.splits[split]
        drawn = matched_rows(y[train], collection[train], names, fits.seed)
        for name, rows in drawn.items():
            fitted = fits.fitted(train[rows])
            predictions = fitted.classify_table(fits.tables[ORIGINAL].select(test))
            own = predictions.probabilities
            trained[name].probabilities[0, test] = own
            trained[name].predicted[0, test] = decide(own, fitted.priors_, "balanced")
        return len(drawn[names[0]])

    number = round(np.mean(fits.each(range(FOLDS), train_on_each)))
    lines = [
        f"| scored on | galaxies | fitted to `{names[0]}` | fitted to `{names[1]}` | difference |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in names:
        rows = np.flatnonzero(collection == name)
        part = {source: OutOfFold(p.probabilities[:, rows], p.predicted[:, rows])
                for source, p in trained.items()}  # fmt: skip
        comparison = compare_predictions(y[rows], part, fits.galaxies.names, seed=fits.seed)
        scores = [comparison.scores[source]["balanced_accuracy"].mean for source in names]
        value, low, high = comparison.difference(*names).scores["balanced_accuracy"]
        lines.append(
            f"| `{name}` | {len(rows):,} | {scores[0]:.3f} | {scores[1]:.3f} | "
            f"{value:+.3f} ({low:+.3f} to {high:+.3f}) |"
        )
    return [
        f"Balanced accuracy for two collections of labels; each training set has {number} galaxies "
        "with the same class counts, and the decision rule is `balanced`:", "", *lines,
    ]  # fmt: skip


def collections_of(dataset: DataSet, data: str) -> NDArray[np.str_] | None:
    """Return the origin of the label of each row, or None if the data do not contain it."""
    try:
        sources = open_dataset(data, label="label_source")
    except DataError:
        return None
    row_of = {name: row for row, name in enumerate(sources.ids)}
    names = np.array([*sources.class_names, ""])
    return names[sources.labels[[row_of[name] for name in dataset.ids]]]


def matched_rows(
    y: Rows, collection: NDArray[np.str_], names: tuple[str, str], seed: int
) -> dict[str, Rows]:
    """Draw the same number of rows of each class from two collections."""
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
