"""Model folders that are damaged, or made by somebody to do damage."""

import json
import os
import runpy
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from galfeat import GalaxyClassifier
from galfeat.errors import ModelError
from galfeat.model_io import add_trusted
from galfeat.model_io.manifest import is_model
from galfeat.model_io.trust import trust_list
from galfeat.web import serving

FOLDERS = runpy.run_path(str(Path(__file__).with_name("model_folders.py")))
command, models, own, reseal, safe, use, with_digest = (
    FOLDERS[name] for name in ("command", "models", "own", "reseal", "safe", "use", "with_digest")
)


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "content", [DEEP, '{"a":' * 5000 + "1" + "}" * 5000, "[" * 500 + "]" * 500]
)
def test_deeply_nested_json_is_damage(own, content):
    (own / "manifest.json").write_text(content)
    assert "is damaged: manifest.json" in use(own)
    assert is_model(own)


def test_deeply_nested_scores_are_damage(safe):
    (safe / "metrics.json").write_text(DEEP)
    reseal(safe)
    assert "metrics.json: nested more than 100 levels deep" in use(safe)


@pytest.mark.parametrize("content", [DEEP, "[1]", '"text"', "{", "\0", "\ud800"])
def test_a_damaged_trust_list_is_named(own, content):
    trust_list().parent.mkdir(parents=True, exist_ok=True)
    before = trust_list().read_bytes()
    trust_list().write_bytes(content.encode(errors="surrogatepass"))
    try:
        assert "repair or delete it" in use(own)
        with pytest.raises(ModelError, match="repair or delete it"):
            add_trusted("0" * 64, own)
    finally:
        trust_list().write_bytes(before)


@pytest.mark.parametrize("name", ["manifest.json", "metrics.json", "README.md"])
def test_files_of_hundreds_of_megabytes_are_not_read(name, safe):
    with (safe / name).open("r+") as stream:
        stream.truncate(300 * 2**20)  # takes no space on disk
    message = use(safe)
    assert f"cannot read {name}: it has 314,572,800 bytes; expected at most 16,777,216" in message


def test_a_huge_trust_list_is_not_read(own, tmp_path, monkeypatch):
    monkeypatch.setenv("GALFEAT_HOME", str(tmp_path))
    with trust_list().open("w") as stream:
        stream.truncate(300 * 2**20)
    assert "expected at most" in use(own)


def test_a_type_that_does_not_fit_names_the_key(own):
    reseal(own, label_column=["class_id"])
    assert use(own) == (
        f"model {own} is damaged: manifest.json: label_column is ['class_id']; expected text or "
        "null; copy it again, or refit the model"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.json", b'{"accuracy": {"value": "high"}}'),
        ("metrics.json", b'{"n": 3, "confusion": [[1], [2]]}'),
        ("metrics.json", b"[]"),
        ("rows.npz", b"PK"),
    ],
)
def test_damaged_scores_and_rows_end_serve_and_evaluate_early(safe, name, content, monkeypatch):
    (safe / name).write_bytes(content)
    reseal(safe)
    monkeypatch.setattr(serving, "_simulated", lambda *arguments: pytest.fail("simulated"))
    message, code = command("serve", "--model", safe, "--port", 0)
    assert code == 6
    assert f"is damaged: {name}" in message
    if name == "rows.npz":
        message, code = command("evaluate", safe, "no.h5")
        assert code == 6
        assert f"is damaged: {name}" in message


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 10**30, 1e999, -0.5, "", "\0", "x" * 1000, "\ud800"]),
    st.sampled_from([[], {}, [[]], ["a"], [1, 1], {"": {}}, [None] * 3, {"kind": 1}]),
)


def paths(value, at=()):
    """Yield the path of each value in parsed JSON."""
    yield at
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else list(enumerate(value))[:3]
        for key, item in items:
            yield from paths(item, (*at, key))


def changed(value, path, new):
    """Return a copy of parsed JSON with one value changed."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def values_of(models, name):
    return json.loads((models / "safe" / name).read_text())


FUZZ = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@FUZZ
@given(st.data())
def test_odd_values_in_a_manifest_are_model_errors(models, safe, data):
    manifest = values_of(models, "manifest.json")
    path = data.draw(st.sampled_from([path for path in paths(manifest) if path]))
    manifest = changed(manifest, path, data.draw(ODD))
    (safe / "manifest.json").write_text(json.dumps(with_digest(manifest)))
    use(safe)


@FUZZ
@given(st.data())
def test_odd_values_in_scores_are_model_errors(models, safe, data):
    metrics = values_of(models, "metrics.json")
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(list(paths(metrics))))
        metrics = changed(metrics, path, data.draw(ODD))
    (safe / "metrics.json").write_text(json.dumps(metrics))
    (safe / "manifest.json").write_bytes((models / "safe" / "manifest.json").read_bytes())
    reseal(safe)
    use(safe)


@FUZZ
@given(st.data())
def test_damaged_bytes_in_any_file_are_model_errors(models, own, data):
    name = data.draw(st.sampled_from(sorted(path.name for path in own.iterdir())))
    original = (models / "own" / name).read_bytes()
    start = data.draw(st.integers(0, len(original) - 1))
    end = data.draw(st.integers(start, len(original)))
    content = original[:start] + data.draw(st.binary(max_size=20)) + original[end:]
    (own / name).write_bytes(content)
    message = use(own)
    (own / name).write_bytes(original)
    assert (message is None) == (content == original)


@FUZZ
@given(st.data())
def test_damaged_rows_with_right_digests_are_model_errors(models, safe, data):
    original = (models / "safe" / "rows.npz").read_bytes()
    start = data.draw(st.integers(0, len(original) - 1))
    new = data.draw(st.binary(min_size=1, max_size=40))
    (safe / "rows.npz").write_bytes(original[:start] + new + original[start + len(new) :])
    reseal(safe)
    use(safe)


@pytest.mark.parametrize("names", [("model.joblib", "model.skops"), (), ("../rows.npz",)])
def test_manifests_that_list_other_files_are_damage(own, names):
    digest = "0" * 64
    files = dict.fromkeys(("rows.npz", "metrics.json", "README.md", *names), digest)
    reseal(own, files=files)
    assert "files are" in use(own)


@pytest.mark.parametrize("name", ["manifest.json", "rows.npz", "model.skops", "README.md"])
def test_pipes_devices_and_loops_in_place_of_a_file_are_damage(name, safe):
    (safe / name).unlink()
    os.mkfifo(safe / name)
    assert f"cannot read {name}: it is not a regular file" in use(safe)
    for target in ("/dev/zero", name, safe):
        (safe / name).unlink()
        (safe / name).symlink_to(target)
        assert f"cannot read {name}" in use(safe)


def test_files_that_are_links_are_read(safe, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    for path in list(safe.iterdir()):
        path.rename(store / path.name)
        path.symlink_to(store / path.name)
    assert use(safe) is None


def test_extra_files_do_not_matter_but_are_never_replaced(safe):
    (safe / "notes.txt").write_text("mine")
    assert use(safe) is None
    assert not is_model(safe)


@pytest.mark.parametrize("contents", [{"a": 1}, np.zeros(3), GalaxyClassifier, None])
def test_a_trusted_pickle_of_something_else_is_refused(own, contents):
    joblib.dump(contents, own / "model.joblib")
    add_trusted(reseal(own), own)
    assert "expected a GalaxyClassifier" in use(own)
    message, code = command("classify", own, "no.png")
    assert (code, message.count("\n")) == (6, 0)
