"""Explanations of a classifier's predictions."""

from galfeat.explain.contributions import Contributions, contributions_of
from galfeat.explain.explanation import Explanation, explain
from galfeat.explain.overlay import Mark, marks
from galfeat.explain.reasons import Reason

__all__ = ["Contributions", "Explanation", "Mark", "Reason", "contributions_of", "explain", "marks"]
