"""Read and write a classifier's file: pickled by joblib, or in a format that runs no code."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import TYPE_CHECKING

from galfeat.errors import ModelError
from galfeat.model_io.manifest import MODEL, SAFE
from galfeat.model_io.skops_archive import checked_archive

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier

#: Types allowed in a file in the safe format, in addition to those of numpy, scipy and
#: scikit-learn that skops allows. Files with other types are rejected before anything is built.
ALLOWED = (
    "collections.OrderedDict",
    "galfeat.classifier.GalaxyClassifier",
    "galfeat.features.network.Network",
    "galfeat.ensemble.lgbm.LightGBM",
    "galfeat.ensemble.calibration.Calibrator",
    "galfeat.ensemble.cnn.ConvolutionalNetwork",
    "galfeat.ensemble.combination.Average",
    "galfeat.ensemble.combination.Combination",
    "galfeat.ensemble.combination.Stack",
    "galfeat.ensemble.fine_tuned.FineTunedNetwork",
    "galfeat.ensemble.isotonic.IsotonicCalibrator",
    "galfeat.ensemble.forests.BalancedForest",
    "galfeat.ensemble.forests.ExtraTrees",
    "galfeat.ensemble.forests.RandomForest",
    "galfeat.ensemble.logistic.Logistic",
    "galfeat.ensemble.population.prediction_sets.CalibrationRows",
    "galfeat.pipeline.members.Member",
    "galfeat.ensemble.model.Ensemble",
    "galfeat.ensemble.scaling.MedianScaler",
    "galfeat.ensemble.svm.SupportVectors",
    "galfeat.ensemble.xgb.XGBoost",
    "galfeat.features.extractor.FeatureExtractor",
    "galfeat.pipeline.pipeline.Pipeline",
    "galfeat.pipeline.pipeline.SimulatedGalaxies",
    "imblearn.ensemble._bagging.BalancedBaggingClassifier",
    "imblearn.pipeline.Pipeline",
    "imblearn.under_sampling._prototype_selection._random_under_sampler.RandomUnderSampler",
    "lightgbm.basic.Booster",
    "sklearn.tree._tree.Tree",
)


def write_classifier(classifier: GalaxyClassifier, path: Path) -> None:
    """Write a classifier, without cache folder and threads, in the format of the file name.

    Parameters
    ----------
    classifier : GalaxyClassifier
    path : Path
        Ends in ``model.joblib`` or ``model.skops``.
    """
    slim = _without_environment(classifier)
    if path.name == SAFE:
        import skops.io

        skops.io.dump(slim, path, compression=8)  # zipfile.ZIP_DEFLATED
    else:
        import joblib

        joblib.dump(slim, path, compress=3)


def read_classifier(content: bytes, name: str) -> GalaxyClassifier:
    """Read a classifier; ``model.joblib`` may run code, ``model.skops`` does not.

    Raises
    ------
    ModelError
        If it is no classifier, or a file in the safe format contains a type that is not in
        `ALLOWED`.
    Exception
        Any other type, if the file is damaged or the installed libraries cannot read it.
    """
    if name == MODEL:
        import joblib

        return _as_classifier(joblib.load(io.BytesIO(content)))
    import skops.io

    archive = checked_archive(content)
    foreign = sorted(set(skops.io.get_untrusted_types(data=archive)) - set(ALLOWED))
    if foreign:
        raise ModelError(
            f"the model contains {', '.join(foreign)}, which no galfeat model does; do not use it"
        )
    built = _as_classifier(skops.io.loads(archive, trusted=list(ALLOWED)))
    # Ignore a cache folder in the file: a model must not choose where to write.
    return _without_environment(built)


def _as_classifier(built: object) -> GalaxyClassifier:
    from galfeat.classifier import GalaxyClassifier

    if not isinstance(built, GalaxyClassifier):
        raise ModelError(f"the model is a {type(built).__name__}; expected a GalaxyClassifier")
    return built


def _without_environment(classifier: GalaxyClassifier) -> GalaxyClassifier:
    """Return a shallow copy without machine-specific settings: cache folder and threads."""
    slim = copy.copy(classifier)
    slim.extractor_ = copy.copy(classifier.extractor_)
    slim.ensemble_ = copy.copy(classifier.ensemble_)
    slim.set_params(pipeline=classifier.pipeline_, cache=None, n_jobs=1)
    slim.extractor_.set_params(cache=None, n_jobs=1)
    slim.ensemble_.set_params(n_jobs=1)
    return slim
