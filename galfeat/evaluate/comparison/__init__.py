"""Paired comparisons: statistics, and the page and text that show them."""
