"""Published morphology on linear flux: CAS, Gini, M20, MID, asymmetries, radii, Sérsic.

`measuring` measures the sources of an image; `columns` lists what is measured. The family is not
among those of pipelines: nothing of it is given to a classifier of display images.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
