"""Studies that fit models repeatedly: cross-validation, scoring, ablation, comparison, costs.

`cross_validation` is `galfeat fit --cv`; `comparison`, with the fits in `fits`, is
`galfeat compare`; `scoring` and `ablation` are `galfeat evaluate`; `label_audit` is
`galfeat audit`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
