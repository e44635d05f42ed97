"""Tables of features in, calibrated class probabilities out.

`model.Ensemble` fits its members on balanced rows (`balance`, `member_fits`), combines them
(`combination`), calibrates (`calibration`) and chooses classes (`decision`). The classifiers that
can be members have files of their own: `lgbm`, `xgb`, `forests`, `logistic`, `svm`, `cnn`,
`fine_tuned`. `population` adapts probabilities to the galaxies at hand.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
