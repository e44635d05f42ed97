"""Classify galaxy images with engineered features and ensembles."""

from importlib import import_module

__version__ = "0.2.0"

_HOMES = {
    "FeatureExtractor": "galfeat.features",
    "GalaxyClassifier": "galfeat.classifier",
    "load_model": "galfeat.model_io.folder",
    "load_pipeline": "galfeat.pipeline",
    "measure": "galfeat.features.flux",
    "open_dataset": "galfeat.data",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    # Imported on first use, because `galfeat --help` should not wait for scikit-learn.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
