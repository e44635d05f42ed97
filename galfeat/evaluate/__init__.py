"""Statistics of predictions: splits, scores, intervals, reports. Nothing is fitted here.

`evaluation` scores one set of predictions, `repeats` those of a repeated cross-validation and
`comparison` those of several pipelines; `report` writes them as a page.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
