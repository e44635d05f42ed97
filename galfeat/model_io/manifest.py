"""The manifest of a model folder: what lies in it, made with what, and the digest of each file."""

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
#: In place of `MODEL` in a folder that may be passed on.
SAFE = "model.skops"
_KEYS = {
    *("schema", "versions", "classes", "priors", "feature_names", "pipeline", "decision"),
    *("label_column", "seed", "data_digest", "n_training", "n_held_out", "files", "sha256"),
}
_ALWAYS = {ROWS, METRICS, CARD}

#: What to do about a folder that is not what was saved.
TRY_AGAIN = "copy it again, or fit it again"


def is_model(folder: Path) -> bool:
    """Tell whether a folder holds a model, whole or damaged, and nothing else."""
    ours = {MODEL, SAFE, MANIFEST, TRAINING_FILE, *_ALWAYS}
    if not {path.name for path in folder.iterdir()} <= ours:
        return False
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return (folder / MODEL).is_file() or (folder / SAFE).is_file()
    return isinstance(manifest, dict) and {"schema", "files"} <= manifest.keys()


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Read and verify the manifest of a model folder; nothing is unpickled.

    Returns
    -------
    dict
        ``schema``, ``versions``, ``classes``, ``priors``, ``feature_names``, ``pipeline``,
        ``decision``, ``label_column``, ``seed``, ``data_digest``, ``n_training``,
        ``n_held_out``, ``files`` (the SHA-256 of each) and ``sha256`` (of the rest).

    Raises
    ------
    ModelError
        If it is missing, damaged or of another schema.
    """
    folder = Path(folder)
    text = _contents(folder, MANIFEST)
    damaged = ModelError(
        f"model {folder} is damaged: {MANIFEST} is not what was saved; {TRY_AGAIN}"
    )
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise damaged from error
    if not isinstance(manifest, dict):
        raise damaged
    if manifest.get("schema") != SCHEMA:
        raise ModelError(
            f"model {folder} has schema {manifest.get('schema')!r}; this galfeat reads {SCHEMA}: "
            f"fit it again (galfeat fit DATA -o {folder}), or use the galfeat that saved it"
        )
    if manifest.get("sha256") != manifest_digest(manifest) or not _is_complete(manifest):
        raise damaged
    return manifest


def _is_complete(manifest: Mapping[str, Any]) -> bool:
    """Tell whether a manifest says all it should, of no file that is not a model's."""
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
                f"there is no model folder {folder}; name one that galfeat fit has written"
            ) from error
        raise ModelError(
            f"model {folder} is not whole: cannot read {name}: {error.strerror}; {TRY_AGAIN}"
        ) from error


def verified_contents(folder: Path, name: str, digest: str) -> bytes:
    """Return the bytes of a file once their digest is right: what is checked is what is used."""
    contents = _contents(folder, name)
    if sha256(contents) != digest:
        raise ModelError(f"model {folder} is damaged: {name} is not what was saved; {TRY_AGAIN}")
    return contents


def sha256(contents: bytes) -> str:
    """Return the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(contents).hexdigest()


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """Return the digest of all of a manifest but the digest itself."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return sha256(json.dumps(rest, sort_keys=True).encode())


def sealed(manifest: Mapping[str, Any], folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """Return a manifest with the digests of these files of a folder, and of itself."""
    files = {name: sha256((folder / name).read_bytes()) for name in names}
    whole = {**manifest, "files": files}
    return {**whole, "sha256": manifest_digest(whole)}
