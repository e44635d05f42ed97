"""Splits, scores, intervals and the report: what is known about a model's answers."""
