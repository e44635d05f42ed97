"""The manifest of a model folder: its contents, library versions and the digest of each file."""

from __future__ import annotations

import hashlib
import json
import os
import reprlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from galfeat.data.readers.folder import TRAINING_FILE
from galfeat.errors import ModelError
from galfeat.model_io.schema import manifest_problem, metrics_problem
from galfeat.storage.reading import file_digest, parse_json, read_regular

T = TypeVar("T")

SCHEMA = 4

MODEL, MANIFEST, ROWS, METRICS, CARD = (
    "model.joblib",
    "manifest.json",
    "rows.npz",
    "metrics.json",
    "README.md",
)
#: Replaces `MODEL` in folders written by `galfeat share`.
SAFE = "model.skops"
_ALWAYS = {ROWS, METRICS, CARD}
#: Maximum size of each file in bytes, far above those of real models.
LIMITS = {
    MODEL: 2**33,
    SAFE: 2**30,
    ROWS: 2**30,
    TRAINING_FILE: 2**28,
    **dict.fromkeys((MANIFEST, METRICS, CARD), 2**24),
}

#: Advice for folders that are not as saved.
TRY_AGAIN = "copy it again, or refit the model"


def is_model(folder: Path) -> bool:
    """Return whether a folder contains a model, complete or damaged, and no other files."""
    model_files = {MODEL, SAFE, MANIFEST, TRAINING_FILE, *_ALWAYS}
    if not {path.name for path in folder.iterdir()} <= model_files:
        return False
    try:
        manifest = parse_json(read_regular(folder / MANIFEST, LIMITS[MANIFEST]))
    except (OSError, ValueError):
        return os.path.isfile(folder / MODEL) or os.path.isfile(folder / SAFE)
    return isinstance(manifest, dict) and {"schema", "files"} <= manifest.keys()


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Read and verify the manifest of a model folder, without unpickling anything.

    Returns
    -------
    dict
        ``schema``, ``versions``, ``classes``, ``priors``, ``assumed_priors`` (the class frequencies
        that probabilities assume) and ``calibration_rows`` (the number of galaxies that calibrate
        prediction sets), both missing in older folders, ``feature_names``, ``pipeline``,
        ``decision``, ``label_column``, ``soft_labels`` (whether it was fitted to fractions of
        votes; missing in older folders), ``seed``, ``data_digest``, ``n_training``,
        ``n_held_out``, ``files`` (the SHA-256 of each) and ``sha256`` (of all of these).

    Raises
    ------
    ModelError
        If it is missing, damaged, of another schema, or contains a value of the wrong type.

    Examples
    --------
    >>> from galfeat.model_io import model_folder, read_manifest
    >>> manifest = read_manifest(model_folder("galaxy10"))
    >>> manifest["classes"][:2], manifest["n_training"]
    (['Disturbed', 'Merging'], 723)
    """
    folder = Path(folder)
    text = _read(folder, MANIFEST, read_regular)
    try:
        manifest = parse_json(text)
    except ValueError as error:
        raise damaged(folder, MANIFEST) from error
    if not isinstance(manifest, dict):
        raise damaged(folder, MANIFEST)
    if manifest.get("schema") != SCHEMA:
        raise ModelError(
            f"model {folder} has schema {reprlib.repr(manifest.get('schema'))}; this galfeat "
            f"reads {SCHEMA}: refit the model (galfeat fit DATA -o {folder}), or use the galfeat "
            "version that saved it"
        )
    if manifest.get("sha256") != manifest_digest(manifest):
        raise damaged(folder, MANIFEST)
    wrong = manifest_problem(manifest) or _wrong_files(manifest["files"].keys())
    if wrong:
        raise damaged(folder, MANIFEST, wrong)
    return manifest


def read_metrics(folder: str | Path) -> dict[str, Any]:
    """Read and verify the scores stored with a model.

    Raises
    ------
    ModelError
        If the folder or its scores are damaged, or a score is not a number.
    """
    folder = Path(folder)
    contents = verified_contents(folder, METRICS, read_manifest(folder)["files"][METRICS])
    try:
        metrics = parse_json(contents)
    except ValueError as error:
        raise damaged(folder, METRICS, str(error)) from error
    wrong = metrics_problem(metrics)
    if wrong or not isinstance(metrics, dict):
        raise damaged(folder, METRICS, wrong or "")
    return metrics


def damaged(folder: Path, name: str, found: str = "") -> ModelError:
    """Return the error for a file that is not as saved, with what was found in it."""
    problem = f": {found}" if found else " is not as saved"
    return ModelError(f"model {folder} is damaged: {name}{problem}; {TRY_AGAIN}")


def _wrong_files(names: Iterable[str]) -> str | None:
    """Return what is wrong with the files that a manifest lists."""
    listed = set(names)
    model = listed - _ALWAYS - {TRAINING_FILE}
    if listed >= _ALWAYS and model in ({MODEL}, {SAFE}):
        return None
    return f"files are {', '.join(sorted(listed))[:200]}; expected those of a model"


def _read(folder: Path, name: str, read: Callable[[Path, int], T]) -> T:
    """Read a file of a model folder with a function of its path and maximum size."""
    try:
        return read(folder / name, LIMITS[name])
    except (OSError, ValueError) as error:
        if not os.path.isdir(folder):
            raise ModelError(
                f"there is no model folder {folder}; specify one written by galfeat fit"
            ) from error
        state = "incomplete" if isinstance(error, FileNotFoundError) else "damaged"
        reason = getattr(error, "strerror", None) or error
        raise ModelError(
            f"model {folder} is {state}: cannot read {name}: {reason}; {TRY_AGAIN}"
        ) from error


def verified_contents(folder: Path, name: str, digest: str) -> bytes:
    """Read a file once, verify its digest and return the verified bytes."""
    contents = _read(folder, name, read_regular)
    if sha256(contents) != digest:
        raise damaged(folder, name)
    return contents


def verify(folder: Path, name: str, digest: str) -> None:
    """Verify the digest of a file without keeping its contents in memory."""
    if _read(folder, name, file_digest) != digest:
        raise damaged(folder, name)


def sha256(contents: bytes) -> str:
    """Return the hexadecimal SHA-256."""
    return hashlib.sha256(contents).hexdigest()


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """Return the digest of a manifest, excluding the digest itself."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return sha256(json.dumps(rest, sort_keys=True).encode())


def sealed(manifest: Mapping[str, Any], folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """Return a manifest with the digests of the named files and of the manifest itself."""
    files = {name: sha256((folder / name).read_bytes()) for name in names}
    complete = {**manifest, "files": files}
    return {**complete, "sha256": manifest_digest(complete)}
