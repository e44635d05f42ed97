"""Classifiers that can be members of an ensemble.

Each member runs on one thread. Ensembles parallelise over members and inner folds, which is
faster than threads within small fits and gives bit-identical results for any number of threads.
Every member accepts NaN, imputing internally if its library does not. Every member accepts any
table, except the CNN, which only accepts pixels.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import MissingDependencyError, PipelineError

Estimator: TypeAlias = Any
# Optional packages that networks are fitted with.
_PACKAGES = {"cnn": ("torch",), "network": ("torch", "onnx")}


@dataclass(frozen=True)
class Member:
    """One classifier of an ensemble.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    params : mapping, optional
        Parameters of the underlying estimator, named as in its own library, whose defaults
        apply to the others.
    families : sequence of str
        Feature families it uses; if empty, all families of the pipeline.

    Examples
    --------
    >>> from galfeat.pipeline import Member
    >>> member = Member("extra-trees", {"n_estimators": 50}, families=("hog",))
    >>> member.columns(["hog.aligned.r0.o0", "shape.gini", "hog.aligned.r0.o1"])
    array([0, 2])
    >>> member.build(random_state=0).n_estimators
    50
    """

    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    families: tuple[str, ...] = ()

    @property
    def balances_itself(self) -> bool:
        """Whether each of its trees is grown on equal numbers of rows per class."""
        return self.kind == "balanced-forest"

    @property
    def multiplies_matrices(self) -> bool:
        """Whether it predicts by a product of matrices, and not row by row."""
        return self.kind == "logistic"

    @property
    def reads_pixels(self) -> bool:
        """Whether it is a network, which reads tables of pixels a few rows at a time."""
        return self.kind in _PACKAGES

    @property
    def adds_simulated(self) -> bool:
        """Whether balance = "simulate" adds rows for it.

        Not for networks, which start from one that learned from simulated galaxies, nor for
        forests that balance the classes themselves.
        """
        return not (self.reads_pixels or self.balances_itself)

    def columns(self, names: Sequence[str]) -> NDArray[np.intp]:
        """Return the indices of the columns it uses, given all column names."""
        used = [not self.families or name.split(".", 1)[0] in self.families for name in names]
        return np.flatnonzero(used)

    def build(self, random_state: int = 0) -> Estimator:
        """Return the unfitted estimator, for classes numbered from 0."""
        return _KINDS[self.kind].build(self.params, random_state)

    def require_dependencies(self) -> None:
        """Raise a MissingDependencyError if a package it needs is not installed."""
        if self.reads_pixels:
            require_packages(self.kind)

    def check(self) -> None:
        """Check the kind and the parameters against the estimator.

        Raises
        ------
        PipelineError
            If the kind or a parameter is unknown, or the estimator rejects a value.
        """
        if self.kind not in KINDS:
            raise PipelineError(f"kind {self.kind!r} is not known; use one of {', '.join(KINDS)}")
        valid = parameter_names(self.kind)
        for name in self.params:
            if name not in valid:
                nearest = difflib.get_close_matches(name, valid, n=1)
                hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
                raise PipelineError(
                    f"{self.kind} has no parameter {name!r}{hint}; it has {', '.join(valid)}"
                )
        self._try_values()

    def _try_values(self) -> None:
        """Let the library itself validate the values."""
        try:
            final = _final_step(self.build())
            if hasattr(final, "_parameter_constraints"):
                final._validate_params()
            else:  # boosting libraries validate during a fit
                few = {"n_estimators": 1} if _is_count(self.params.get("n_estimators")) else {}
                X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
                final.set_params(**few).fit(X, np.arange(40) % 2)
        except Exception as error:
            reason = " ".join(str(error).split())
            raise PipelineError(
                f"{self.kind} does not take params {dict(self.params)}: {reason}"
            ) from error


def parameter_names(kind: str) -> list[str]:
    """Return the sorted names of the parameters a pipeline may set for a kind of member."""
    final = _final_step(Member(kind).build())
    return sorted(({*final.get_params()} | _EXTRA.get(kind, set())) - _RESERVED)


def require_packages(kind: str) -> None:
    """Check that the packages a kind of network is fitted with can be imported.

    Raises
    ------
    MissingDependencyError
        If not; the message names the extra that installs them.
    """
    try:
        for package in _PACKAGES[kind]:
            import_module(package)
    except ImportError as error:
        raise MissingDependencyError(
            f"a network needs the package {error.name}, which is not installed: "
            "pip install 'galfeat[cnn]'"
        ) from error


def _final_step(estimator: Estimator) -> Estimator:
    """Return the last step of a scikit-learn pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


@dataclass(frozen=True)
class _Kind:
    """How to build one kind of member.

    Estimators are named by dotted path: importing their libraries takes about a second, so it
    waits until the first one is built.
    """

    estimator: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    scaled: bool = False

    def build(self, params: Mapping[str, Any], random_state: int) -> Estimator:
        estimator = _import(self.estimator)(**params, **self.settings, random_state=random_state)
        if not self.scaled:
            return estimator
        from sklearn.pipeline import make_pipeline

        return make_pipeline(_import("galfeat.ensemble.scaling:MedianScaler")(), estimator)


def _import(path: str) -> Any:  # noqa: ANN401
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


_KINDS = {
    "xgboost": _Kind(
        "galfeat.ensemble.xgb:XGBoost",
        {"tree_method": "hist", "importance_type": "total_gain", "n_jobs": 1},
    ),
    "lightgbm": _Kind(
        "galfeat.ensemble.lgbm:LightGBM",
        {
            # Otherwise LightGBM times two ways of building histograms and picks the faster.
            "deterministic": True,
            "force_row_wise": True,
            "importance_type": "gain",
            "verbosity": -1,
            "n_jobs": 1,
        },
    ),
    "extra-trees": _Kind("galfeat.ensemble.forests:ExtraTrees", {"n_jobs": 1}),
    "random-forest": _Kind("galfeat.ensemble.forests:RandomForest", {"n_jobs": 1}),
    "balanced-forest": _Kind("galfeat.ensemble.forests:BalancedForest", {"n_jobs": 1}),
    "logistic": _Kind("galfeat.ensemble.logistic:Logistic", scaled=True),
    "svm": _Kind("galfeat.ensemble.svm:SupportVectors", scaled=True),
    "cnn": _Kind("galfeat.ensemble.cnn:ConvolutionalNetwork"),
    "network": _Kind("galfeat.ensemble.fine_tuned:FineTunedNetwork"),
}
KINDS = tuple(_KINDS)

# Set by galfeat itself, or meaningless in a pipeline.
_RESERVED = {
    *("n_jobs", "random_state", "class_weight", "scale_pos_weight", "objective", "multi_strategy"),
    *("verbose", "verbosity", "warm_start", "oob_score", "importance_type", "monotonic_cst"),
    *("tree_method", "device", "missing", "callbacks", "eval_metric", "early_stopping_rounds"),
    *("enable_categorical", "feature_types", "feature_weights", "interaction_constraints"),
    *("monotone_constraints", "max_cat_threshold", "max_cat_to_onehot", "validate_parameters"),
    *("sampling_strategy", "replacement", "probability", "decision_function_shape", "break_ties"),
    *("multi_class", "dual", "solver", "deterministic", "force_row_wise"),
}
# Parameters LightGBM accepts that its scikit-learn class does not list.
_EXTRA = {
    "lightgbm": {
        *("max_bin", "min_data_in_bin", "max_delta_step"),
        *("extra_trees", "path_smooth", "feature_fraction_bynode"),
    }
}
