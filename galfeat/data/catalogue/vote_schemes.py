"""The questions of Galaxy Zoo, their columns, and the shares of votes for each class."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.tables import as_numbers
from galfeat.errors import DataError

Floats = NDArray[np.float64]
Fractions = dict[str, dict[str, Floats]]
"""Fraction of each answer among those to the same question, by question and answer."""

#: Endings of columns, the preferred first. Fractions and counts give the same fractions.
ENDINGS = (
    "_debiased",
    "_weighted_fraction",
    "_weight_fraction",
    "_fraction",
    "_count_fraction",
    "",
    "_count",
)
#: Campaigns that may follow the name of a question, as in ``bar-dr5_strong``; none first.
CAMPAIGNS = ("", "-gz2", "-dr8", "-dr5", "-dr12", "-desi")

Columns = dict[str, list[str]]
"""The columns that are added for each answer to a question."""


class Question(NamedTuple):
    """A question and the sets of column names under which its answers are published."""

    name: str
    asks: str
    columns: tuple[Columns, ...]

    def located(self, names: Collection[str]) -> list[Columns]:
        """Return the complete sets of its columns among the names of a table, best first."""
        exact = {name.strip().lower(): name for name in reversed(list(names))}
        complete = (
            next(
                (
                    {
                        answer: [exact[column + ending] for column in columns]
                        for answer, columns in spelled.items()
                    }
                    for ending in ENDINGS
                    if all(c + ending in exact for columns in spelled.values() for c in columns)
                ),
                None,
            )
            for spelled in self._spellings()
        )
        return [columns for columns in complete if columns is not None]

    def _spellings(self) -> Iterator[Columns]:
        for columns in self.columns:
            for campaign in CAMPAIGNS:
                yield {
                    answer: [_in_campaign(name.lower(), campaign) for name in names]
                    for answer, names in columns.items()
                }


class Factor(NamedTuple):
    """Answers to one question; the votes of `halves` count half, in soft labels only."""

    question: str
    answers: tuple[str, ...]
    halves: tuple[str, ...]

    def share(self, fractions: Fractions, *, soft: bool) -> Floats:
        """Return the fraction of volunteers that gave one of the answers, shape (n,)."""
        of_answer = fractions[self.question]
        whole = sum(of_answer[answer] for answer in self.answers)
        half = sum(of_answer[answer] for answer in self.halves) if soft else 0.0
        share: Floats = np.asarray(whole + 0.5 * np.asarray(half), dtype=np.float64)
        return share

    def __str__(self) -> str:
        """Return the question and its answers as in the file of schemes."""
        return f"{self.question}.{'+'.join([*self.answers, *(f'{a}/2' for a in self.halves)])}"


class ClassRule(NamedTuple):
    """The factors whose product is the share of votes for a class."""

    name: str
    factors: tuple[Factor, ...]
    undisturbed: bool


@dataclass(frozen=True)
class VoteScheme:
    """A decision tree of Galaxy Zoo.

    Attributes
    ----------
    name, title, reference : str
    questions : dict of str to Question
    classes, coarse : tuple of ClassRule
        The classes of Galaxy10 DECaLS, and the coarse classes.

    Examples
    --------
    >>> from galfeat.data.catalogue import vote_scheme
    >>> scheme = vote_scheme("gz2")
    >>> scheme.questions["edge-on"].asks
    'Could this be a disc viewed edge-on?'
    >>> len(scheme.classes)
    10
    """

    name: str
    title: str
    reference: str
    questions: Mapping[str, Question]
    classes: tuple[ClassRule, ...]
    coarse: tuple[ClassRule, ...]

    def fractions(self, columns: Mapping[str, NDArray[Any]]) -> Fractions:
        """Return the fractions of the answers to each question in a table.

        Counts, fractions and fractions multiplied along the tree give the same result, because
        the answers to each question are divided by their sum. Rows without answers are NaN.
        Questions without a complete set of columns are left out. If a table holds the votes of
        several campaigns, each row takes them from the first that has any.

        Raises
        ------
        DataError
            If a value is negative or not a number.
        """
        found: Fractions = {}
        for name, question in self.questions.items():
            for located in question.located(columns):
                new = _normalised(located, columns)
                old = found.get(name)
                found[name] = new if old is None else _first_known(old, new)
        return found

    def shares(
        self, rules: Sequence[ClassRule], fractions: Fractions, *, soft: bool = False
    ) -> dict[str, Floats]:
        """Return the share of votes for each class with columns for all of its questions.

        Parameters
        ----------
        rules : sequence of ClassRule
            `classes` or `coarse`.
        fractions : dict
            From `fractions`.
        soft : bool
            Whether to count answers between two classes half for each.

        Returns
        -------
        dict of str to ndarray, shape (n,)
            From 0 to 1; NaN where a question that matters has no answers.
        """
        reachable = [rule for rule in rules if all(f.question in fractions for f in rule.factors)]
        calm = self._undisturbed(fractions)
        shares = {}
        for rule in reachable:
            factors = [factor.share(fractions, soft=soft) for factor in rule.factors]
            if rule.undisturbed and calm is not None:
                factors.append(calm)
            shares[rule.name] = _product(factors)
        return shares

    def _undisturbed(self, fractions: Fractions) -> Floats | None:
        """Return the share that saw no merger or disturbance, of those who saw a galaxy."""
        rules = [rule for rule in self.classes if not rule.undisturbed]
        questions = {factor.question for rule in rules for factor in rule.factors[1:]}
        if not questions <= fractions.keys():
            return None
        odd = [
            _product([f.share(fractions, soft=False) for f in rule.factors[1:]]) for rule in rules
        ]
        calm: Floats = np.maximum(1.0 - np.sum(odd, axis=0), 0.0)
        return calm


def vote_scheme(name: str) -> VoteScheme:
    """Return a scheme by name.

    Raises
    ------
    DataError
        If there is no such scheme.

    Examples
    --------
    >>> from galfeat.data.catalogue import vote_scheme
    >>> vote_scheme("gz-decals").title
    'Galaxy Zoo DECaLS'
    """
    schemes = _schemes()
    if name not in schemes:
        raise DataError(f"there is no scheme {name!r} of votes; choose {' or '.join(schemes)}")
    return schemes[name]


def scheme_names() -> list[str]:
    """Return the names of all schemes."""
    return list(_schemes())


@functools.cache
def _schemes() -> dict[str, VoteScheme]:
    text = (files("galfeat.data.catalogue") / "vote_schemes.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    return {
        name: VoteScheme(
            name,
            scheme["title"],
            scheme["reference"],
            {
                question: Question(question, entry["asks"], tuple(entry["columns"]))
                for question, entry in scheme["questions"].items()
            },
            _rules([*scheme["classes"], *content["classes"]]),
            _rules([*content["coarse"], *scheme["coarse"]]),
        )
        for name, scheme in content["schemes"].items()
    }


def _rules(entries: Sequence[Mapping[str, Any]]) -> tuple[ClassRule, ...]:
    return tuple(
        ClassRule(
            entry["name"],
            tuple(_factor(text) for text in entry["factors"]),
            entry.get("undisturbed", False),
        )
        for entry in entries
    )


def _factor(text: str) -> Factor:
    question, _, terms = text.partition(".")
    answers = terms.split("+")
    whole = tuple(answer for answer in answers if not answer.endswith("/2"))
    return Factor(question, whole, tuple(a[:-2] for a in answers if a.endswith("/2")))


def _in_campaign(column: str, campaign: str) -> str:
    question, separator, answer = column.partition("_")
    return f"{question}{campaign}{separator}{answer}" if separator else column


def _normalised(located: Columns, columns: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
    votes = {answer: _added(names, columns) for answer, names in located.items()}
    total = np.sum(list(votes.values()), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            answer: np.where(total > 0, count / total, np.nan) for answer, count in votes.items()
        }


def _added(names: Sequence[str], columns: Mapping[str, NDArray[Any]]) -> Floats:
    """Return the sum of columns; an empty cell counts as no votes."""
    total: Floats = np.zeros(len(columns[names[0]]))
    for name in names:
        values = as_numbers(columns[name], name)
        if np.isinf(values).any() or (values < 0).any():
            row = int(np.flatnonzero(np.isinf(values) | (values < 0))[0])
            raise DataError(
                f"column {name!r} contains {values[row]:g} in row {row + 1}; expected a number or "
                "fraction of votes, at least 0"
            )
        total += np.nan_to_num(values)
    return total


def _first_known(first: dict[str, Floats], second: dict[str, Floats]) -> dict[str, Floats]:
    return {
        answer: np.where(np.isnan(values), second.get(answer, values), values)
        for answer, values in first.items()
    }


def _product(factors: Sequence[Floats]) -> Floats:
    """Return the product; zero where any factor is, even if others are unknown."""
    stacked = np.stack(factors)
    product: Floats = np.where((stacked == 0).any(axis=0), 0.0, np.prod(stacked, axis=0))
    return product
