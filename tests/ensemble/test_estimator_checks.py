"""scikit-learn's estimator checks."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from galfeat.ensemble import Ensemble
from galfeat.ensemble.scaling import MedianScaler
from galfeat.pipeline import Member

CHEAP = {
    "lightgbm": {"n_estimators": 10, "num_leaves": 7, "min_child_samples": 2},
    "xgboost": {"n_estimators": 10, "max_depth": 3},
    "extra-trees": {"n_estimators": 10},
    "random-forest": {"n_estimators": 10},
    "balanced-forest": {"n_estimators": 10},
    "logistic": {"C": 1.0},
    "svm": {"C": 1.0},
}


@parametrize_with_checks(
    [
        *(Ensemble((Member(kind, params),), folds=2) for kind, params in CHEAP.items()),
        Ensemble((Member("logistic"), Member("svm")), combine="average", folds=2),
        Ensemble((Member("logistic"), Member("svm")), combine="stack", balance="smote", folds=2),
        MedianScaler(),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
