"""Save, verify, load and share model folders."""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galfeat import __version__
from galfeat.errors import GalfeatWarning, ModelError
from galfeat.model_io.card import model_card
from galfeat.model_io.classifier_checks import check_classifier
from galfeat.model_io.classifier_file import read_classifier, write_classifier
from galfeat.model_io.manifest import (
    CARD,
    MANIFEST,
    METRICS,
    MODEL,
    ROWS,
    SAFE,
    SCHEMA,
    TRY_AGAIN,
    is_model,
    read_manifest,
    sealed,
    verified_contents,
    verify,
)
from galfeat.model_io.shipped import is_shipped, model_folder
from galfeat.model_io.trust import add_trusted, is_trusted
from galfeat.storage.atomic import atomic_folder
from galfeat.storage.versions import library_versions

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier

Digests = NDArray[np.uint8]


def save_model(
    classifier: GalaxyClassifier,
    folder: str | Path,
    *,
    training_digests: Digests,
    held_out_digests: Digests | None = None,
    training_fingerprints: NDArray[np.uint8] | None = None,
    data_digest: str = "",
    seed: int = 0,
    metrics: Mapping[str, Any] | None = None,
    label_column: str | None = None,
    soft: bool = False,
) -> Path:
    """Write a fitted classifier to a model folder, and add it to the trusted models.

    The folder contains ``model.joblib``, ``manifest.json``, ``rows.npz``, ``metrics.json``
    and ``README.md``, the model card. It is written atomically; an existing model is replaced.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted. Its cache folder is not saved.
    folder : str or Path
        Output folder; its parent must exist.
    training_digests, held_out_digests : ndarray of uint8, shape (n, 16)
        Digests of the decoded pixels; see `ModelRows`.
    training_fingerprints : ndarray of uint8, shape (n, 184), optional
        Fingerprints of the training images, by which copies of them are recognised.
    data_digest : str
        Digest of the training data.
    seed : int
        Seed of the split and the fit.
    metrics : mapping, optional
        Scores to store with the model, serialisable as JSON; NaN becomes null.
    label_column : str, optional
        Name of the label column.
    soft : bool
        Whether the classifier was fitted to fractions of votes instead of labels.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputError
        If the folder, or the list of trusted models, cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import GalaxyClassifier, load_model
    >>> from galfeat.model_io import save_model
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> radii = [np.hypot(x, q * y) / size for size in range(4, 9) for q in (1, 4)]
    >>> images = [(20 + 200 * np.exp(-radius)).astype(np.uint8) for radius in radii]
    >>> classifier = GalaxyClassifier("hog-svm").fit(images, ["round", "edge-on"] * 5)
    >>> digests = classifier.classify(images).digests
    >>> folder = save_model(classifier, "mymodel", training_digests=digests)
    >>> sorted(path.name for path in folder.iterdir())
    ['README.md', 'manifest.json', 'metrics.json', 'model.joblib', 'rows.npz']
    >>> load_model("mymodel").predict(images[:2]).tolist()
    ['round', 'edge-on']
    """
    empty = np.zeros((0, 16), dtype=np.uint8)
    with atomic_folder(folder, replaces=is_model) as new:
        write_classifier(classifier, new / MODEL)
        known = {} if training_fingerprints is None else {"fingerprints": training_fingerprints}
        np.savez_compressed(
            new / ROWS,
            training=training_digests,
            held_out=empty if held_out_digests is None else held_out_digests,
            allow_pickle=False,
            **known,
        )
        _write_json(new / METRICS, metrics or {})
        manifest: dict[str, Any] = {
            "schema": SCHEMA,
            "versions": library_versions(),
            "classes": [_plain(label) for label in classifier.classes_],
            "priors": [float(prior) for prior in classifier.priors_],
            "assumed_priors": [float(prior) for prior in classifier.assumed_priors_],
            "calibration_rows": len(classifier.calibration_rows_ or ()),
            "feature_names": list(classifier.feature_names_),
            "pipeline": classifier.pipeline_.to_dict(),
            "calibration": classifier.ensemble_.calibration_method,
            "decision": classifier.pipeline_.decision,
            "label_column": label_column,
            "soft_labels": soft,
            "seed": seed,
            "data_digest": data_digest,
            "n_training": len(training_digests),
            "n_held_out": 0 if held_out_digests is None else len(held_out_digests),
        }
        card = model_card(manifest, metrics or {})
        (new / CARD).write_text(card, encoding="utf-8", errors="backslashreplace")
        manifest = sealed(manifest, new, (MODEL, ROWS, METRICS, CARD))
        _write_json(new / MANIFEST, manifest)
        # Before replacing the old model, so that nothing changes if the list cannot be written.
        add_trusted(manifest["sha256"], folder)
    return Path(folder)


def load_model(folder: str | Path, *, trust: bool = False) -> GalaxyClassifier:
    """Verify a model folder and load its classifier.

    Unpickling a model runs code contained in it. Checking the digests of all files detects
    damage but not malice, so pickled models are loaded only if they are in the user's list of
    trusted models, to which `save_model` adds. Models written by `share_model` run no code and
    need no trust.

    Parameters
    ----------
    folder : str or Path
        A folder written by `save_model` or `share_model`, or the name of a model shipped with
        galfeat.
    trust : bool
        Add this model to the trusted models. Only do so if you know who made it.

    Returns
    -------
    GalaxyClassifier

    Raises
    ------
    ModelError
        If the folder is missing, damaged, not trusted, written by another minor version of
        galfeat, or not readable with the installed libraries.

    Examples
    --------
    >>> from galfeat import load_model
    >>> load_model("galaxy10")
    GalaxyClassifier(pipeline=Pipeline(name='stacking-light+simulate', ...))
    >>> load_model("galaxy10").classes_[:2].tolist()
    ['Disturbed', 'Merging']
    """
    folder = model_folder(folder)
    manifest = read_manifest(folder)
    _check_version(folder, manifest)
    files = manifest["files"]
    name, shipped = SAFE if SAFE in files else MODEL, is_shipped(manifest["sha256"])
    for other in files.keys() - {name}:
        verify(folder, other, files[other])
    content = verified_contents(folder, name, files[name])
    if trust:
        add_trusted(manifest["sha256"], folder)
    elif name == MODEL and not shipped and not is_trusted(manifest["sha256"]):
        raise ModelError(
            f"model {folder} is not in your list of trusted models, and loading a model runs code "
            "contained in it; if you know who made it, load it with trust (--trust)"
        )
    changed = _changed_versions(manifest["versions"])
    try:
        with warnings.catch_warnings():
            if changed:  # a single warning for all libraries follows
                warnings.simplefilter("ignore")
            classifier = read_classifier(content, name)
        if name == SAFE:
            check_classifier(classifier, manifest)
    except ModelError as error:
        raise ModelError(f"model {folder} cannot be used: {error}") from error
    except Exception as error:
        raise ModelError(
            f"model {folder} cannot be read ({type(error).__name__}: {_first_line(error)}); "
            f"{_version_advice(changed)}"
        ) from error
    if changed and not shipped:
        warnings.warn(
            f"model {folder} was saved with {_listed(changed)}: its predictions may differ",
            GalfeatWarning,
            stacklevel=2,
        )
    return classifier


def share_model(folder: str | Path, output: str | Path, *, trust: bool = False) -> Path:
    """Write a model in a format that others can load without running code from it.

    The folder contains ``model.skops`` instead of ``model.joblib``, built from numbers, strings and
    a fixed list of types, `galfeat.model_io.classifier_file.ALLOWED`. Files with other types are
    rejected.

    Parameters
    ----------
    folder : str or Path
        A folder written by `save_model`.
    output : str or Path
        Output folder; its parent must exist. An existing model is replaced.
    trust : bool
        As for `load_model`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ModelError
        As for `load_model`.
    OutputError
        If the folder cannot be written.

    Examples
    --------
    >>> from galfeat import load_model
    >>> from galfeat.model_io import share_model
    >>> folder = share_model("coarse", "for-others")
    >>> (folder / "model.joblib").exists(), (folder / "model.skops").exists()
    (False, True)
    >>> load_model(folder).classes_.tolist()
    ['edge-on', 'merger', 'smooth', 'spiral']
    """
    folder = model_folder(folder)
    classifier, manifest = load_model(folder, trust=trust), read_manifest(folder)
    manifest["versions"] = library_versions()
    rest = [name for name in manifest["files"] if name not in (MODEL, SAFE)]
    with atomic_folder(output, replaces=is_model) as new:
        write_classifier(classifier, new / SAFE)
        read_classifier((new / SAFE).read_bytes(), SAFE)  # fail now if it cannot be read back
        for name in rest:
            (new / name).write_bytes(verified_contents(folder, name, manifest["files"][name]))
        _write_json(new / MANIFEST, sealed(manifest, new, (SAFE, *rest)))
    return Path(output)


def _check_version(folder: Path, manifest: Mapping[str, Any]) -> None:
    saved = str(manifest["versions"]["galfeat"])
    if saved.split(".")[:2] != __version__.split(".")[:2]:
        raise ModelError(
            f"model {folder} was saved by galfeat {saved} and this is {__version__}; "
            f"install galfeat {'.'.join(saved.split('.')[:2])}, or refit the model"
        )


def _changed_versions(saved: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the saved and the installed version of each library where they differ."""
    installed = library_versions()
    return {
        library: (saved[library], installed.get(library, "none"))
        for library in saved
        if library not in ("galfeat", "python") and saved[library] != installed.get(library)
    }


def _listed(changed: Mapping[str, tuple[str, str]]) -> str:
    return ", ".join(f"{name} {old} (installed: {new})" for name, (old, new) in changed.items())


def _first_line(error: Exception) -> str:
    """Return an error's text without the stack that XGBoost adds."""
    first, *_ = str(error).splitlines() or [""]
    return first


def _version_advice(changed: Mapping[str, tuple[str, str]]) -> str:
    if sys.flags.optimize > 1:
        return "Python runs without docstrings, which libraries need: use -O in place of -OO"
    if changed:
        return f"it was saved with {_listed(changed)}: install those versions, or refit the model"
    return TRY_AGAIN


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    text = json.dumps(_plain(values), indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Convert a value for JSON: numpy scalars and arrays to plain types, NaN to None."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
