"""XGBoost's boosted trees, predicted and saved independently of the library's version."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from xgboost import Booster, DMatrix, XGBClassifier


class XGBoost(XGBClassifier):
    """Gradient-boosted trees (Chen & Guestrin 2016, KDD, 785).

    Pickles contain the trees in XGBoost's own model format, which later versions can read,
    unlike a pickle of the original class.
    """

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities, shape (n, k), on one thread."""
        table = DMatrix(np.asarray(X), nthread=1)
        probabilities: NDArray[np.float64] = self.get_booster().predict(table)
        if probabilities.ndim == 1:  # two classes: only the second is returned
            probabilities = np.column_stack([1 - probabilities, probabilities])
        return probabilities

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes, with the trees as bytes."""
        state = dict(self.__dict__)
        if isinstance(state.get("_Booster"), Booster):
            state["_Booster"] = bytes(state["_Booster"].save_raw("ubj"))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the attributes and load the trees.

        Parameters unknown to the version that saved the model keep this version's defaults.
        """
        XGBClassifier.__init__(self)
        self.__dict__.update(state)
        if isinstance(state.get("_Booster"), bytes):
            self._Booster = Booster({"nthread": 1})
            self._Booster.load_model(bytearray(state["_Booster"]))
