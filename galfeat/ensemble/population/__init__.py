"""Probabilities for the galaxies at hand: other class frequencies, and conformal prediction sets.

`priors` moves probabilities to other class frequencies, `prediction_sets` finds the thresholds of
sets from labelled galaxies, and `adaptation` offers both as methods of a classifier.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
