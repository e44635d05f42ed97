"""Named, physical features of galaxy images.

`registry` lists the families: `colour`, `hog`, `radial`, `embedding` and `planes` are single files;
`fourier`, `morphology`, `shape`, `texture` and `reference` are packages with their columns in
`columns` and their measurement in `family`. `extractor` measures images with them. `flux` measures
linear flux and is not a family of pipelines.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
