"""The manifest of a model folder: its contents, library versions and the digest of each file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from galfeat.data.readers.folder import TRAINING_FILE
from galfeat.errors import ModelError

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
_KEYS = {
    *("schema", "versions", "classes", "priors", "feature_names", "pipeline", "decision"),
    *("label_column", "seed", "data_digest", "n_training", "n_held_out", "files", "sha256"),
}
_ALWAYS = {ROWS, METRICS, CARD}

#: Advice for folders that are not as saved.
TRY_AGAIN = "copy it again, or refit the model"


def is_model(folder: Path) -> bool:
    """Return whether a folder contains a model, complete or damaged, and no other files."""
    model_files = {MODEL, SAFE, MANIFEST, TRAINING_FILE, *_ALWAYS}
    if not {path.name for path in folder.iterdir()} <= model_files:
        return False
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return (folder / MODEL).is_file() or (folder / SAFE).is_file()
    return isinstance(manifest, dict) and {"schema", "files"} <= manifest.keys()


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Read and verify the manifest of a model folder, without unpickling anything.

    Returns
    -------
    dict
        ``schema``, ``versions``, ``classes``, ``priors``, ``feature_names``, ``pipeline``,
        ``decision``, ``label_column``, ``seed``, ``data_digest``, ``n_training``,
        ``n_held_out``, ``files`` (the SHA-256 of each) and ``sha256`` (of all of these).

    Raises
    ------
    ModelError
        If it is missing, damaged or of another schema.

    Examples
    --------
    >>> from galfeat.model_io import model_folder, read_manifest
    >>> manifest = read_manifest(model_folder("galaxy10"))
    >>> manifest["classes"][:2], manifest["n_training"]
    (['Disturbed', 'Merging'], 723)
    """
    folder = Path(folder)
    text = _contents(folder, MANIFEST)
    damaged = ModelError(f"model {folder} is damaged: {MANIFEST} is not as saved; {TRY_AGAIN}")
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise damaged from error
    if not isinstance(manifest, dict):
        raise damaged
    if manifest.get("schema") != SCHEMA:
        raise ModelError(
            f"model {folder} has schema {manifest.get('schema')!r}; this galfeat reads {SCHEMA}: "
            f"refit the model (galfeat fit DATA -o {folder}), or use the galfeat version that "
            "saved it"
        )
    if manifest.get("sha256") != manifest_digest(manifest) or not _is_complete(manifest):
        raise damaged
    return manifest


def _is_complete(manifest: Mapping[str, Any]) -> bool:
    """Return whether a manifest has all keys and lists only a model's files."""
    if not manifest.keys() >= _KEYS or not isinstance(manifest["files"], dict):
        return False
    versions = manifest["versions"]
    if not isinstance(versions, dict) or not {"galfeat", "python"} <= versions.keys():
        return False
    model = manifest["files"].keys() - _ALWAYS - {TRAINING_FILE}
    return manifest["files"].keys() >= _ALWAYS and model in ({MODEL}, {SAFE})


def _contents(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        if not folder.is_dir():
            raise ModelError(
                f"there is no model folder {folder}; specify one written by galfeat fit"
            ) from error
        raise ModelError(
            f"model {folder} is incomplete: cannot read {name}: {error.strerror}; {TRY_AGAIN}"
        ) from error


def verified_contents(folder: Path, name: str, digest: str) -> bytes:
    """Read a file once, verify its digest and return the verified bytes."""
    contents = _contents(folder, name)
    if sha256(contents) != digest:
        raise ModelError(f"model {folder} is damaged: {name} is not as saved; {TRY_AGAIN}")
    return contents


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
