"""Model folders that are damaged, or made by somebody to do damage."""

import io
import json
import os
import shutil
import struct
import warnings
import zipfile

import joblib
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from galfeat import GalaxyClassifier, load_model
from galfeat.cli import main
from galfeat.errors import ModelError
from galfeat.features import FeatureTable, columns
from galfeat.model_io import add_trusted, read_manifest, read_rows, save_model
from galfeat.model_io.folder import share_model
from galfeat.model_io.manifest import is_model, read_metrics, sealed
from galfeat.model_io.trust import trust_list
from galfeat.model_io.ubjson import parse_ubjson
from galfeat.pipeline import pipeline_from_dict
from galfeat.web import serving
from galfeat.web.model_info import model_info

KINDS = ("lightgbm", "xgboost", "extra-trees", "svm", "logistic")
PARAMS = {"svm": {}, "logistic": {}, "lightgbm": {"n_estimators": 3, "min_child_samples": 3}}
CLASSES = ["spiral", "edge-on", "smooth"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return a folder with the model `own`, which runs code, and `safe`, which does not."""
    pipeline = pipeline_from_dict(
        {
            "schema": 1,
            "name": "small",
            "description": "a small one",
            "features": {"families": ["colour"]},
            "ensemble": {
                "combine": "stack",
                "members": [
                    {"kind": kind, "params": PARAMS.get(kind, {"n_estimators": 3})}
                    for kind in KINDS
                ],
            },
            "calibrate": {"folds": 2},
        }
    )
    rng = np.random.default_rng(0)
    names = tuple(column.name for column in columns(("colour",)))
    values = rng.normal(size=(60, len(names))).astype(np.float32)
    values[:, :3] += 3 * np.eye(3)[np.arange(60) % 3]
    values[:, -1] = 0
    table = FeatureTable(values, names, rng.integers(0, 256, (60, 16), dtype=np.uint8), {})
    classifier = GalaxyClassifier(pipeline).fit_table(table, np.arange(60) % 3, class_names=CLASSES)
    folder = tmp_path_factory.mktemp("models")
    score = {"value": 0.9, "low": 0.8, "high": 0.95}
    save_model(
        classifier,
        folder / "own",
        training_digests=table.digests[:40],
        held_out_digests=table.digests[40:],
        metrics={
            "accuracy": score, "macro_f1": score, "n": 20, "classes": CLASSES,
            "confusion": np.eye(3) * 5,
        },
        label_column="class_id",
    )  # fmt: skip
    share_model(folder / "own", folder / "safe")
    return folder


@pytest.fixture
def own(models, tmp_path):
    return shutil.copytree(models / "own", tmp_path / "own")


@pytest.fixture
def safe(models, tmp_path):
    return shutil.copytree(models / "safe", tmp_path / "safe")


def reseal(folder, **changes):
    """Change a manifest, and make all digests right."""
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    manifest.pop("sha256", None)
    names = manifest["files"]
    manifest = sealed(manifest, folder, [name for name in names if (folder / name).is_file()])
    if "files" in changes:
        manifest = with_digest(manifest | {"files": changes["files"]})
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return manifest["sha256"]


def with_digest(manifest):
    from galfeat.model_io.manifest import manifest_digest

    return manifest | {"sha256": manifest_digest(manifest)}


def use(folder):
    """Use a model in all ways; anything but success or a ModelError fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            manifest, metrics = read_manifest(folder), read_metrics(folder)
            model_info("model", manifest, metrics)
            read_rows(folder)
            classifier = load_model(folder)
            names = (*classifier.feature_names_, "flags")
            values = np.zeros((2, len(names)), np.float32)
            table = FeatureTable(values, names, np.zeros((2, 16), np.uint8), {})
            classifier.classify_table(table)
        except ModelError as error:
            return str(error)
    return None


def command(*arguments):
    """Return the one line of an error and the exit code of a command."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert "unexpected" not in done.stderr, done.stderr
    return done.stderr.strip(), done.exit_code


# ----------------------------------------------------------------------------- JSON


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


# ----------------------------------------------------------------------------- types


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


# ----------------------------------------------------------------------------- files


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


# ----------------------------------------------------------------------------- pickles


@pytest.mark.parametrize("contents", [{"a": 1}, np.zeros(3), GalaxyClassifier, None])
def test_a_trusted_pickle_of_something_else_is_refused(own, contents):
    joblib.dump(contents, own / "model.joblib")
    add_trusted(reseal(own), own)
    assert "expected a GalaxyClassifier" in use(own)
    message, code = command("classify", own, "no.png")
    assert (code, message.count("\n")) == (6, 0)


# ----------------------------------------------------------------------------- archives


def archive(members, compression=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as written:
        for name, content in members.items():
            written.writestr(name, content)
    return stream.getvalue()


def members_of(path):
    with zipfile.ZipFile(path) as read:
        return {name: read.read(name) for name in read.namelist()}


def zeros(name, n_bytes, before=b""):
    """Return an archive with one member of zeros, made without holding them."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as written,
        written.open(name, "w") as member,
    ):
        member.write(before)
        for _ in range(n_bytes // 2**24):
            member.write(bytes(2**24))
    return stream.getvalue()


def understated(content, name):
    """Return an archive whose list states that a member has 100 bytes."""
    entry = content.rindex(b"PK\x01\x02")
    size = entry + 24
    assert content[entry + 46 :].startswith(name.encode())
    return content[:size] + struct.pack("<I", 100) + content[size + 4 :]


def npy_header(shape):
    stream = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


@pytest.fixture(scope="module")
def bomb():
    """A schema of 96 MB in an archive of 96 kB."""
    return zeros("schema.json", 96 * 2**20, b'{"a": "')


def test_a_schema_that_unpacks_to_much_more_is_refused(safe, bomb, one_line_error):
    (safe / "model.skops").write_bytes(bomb)
    reseal(safe)
    message, code = one_line_error("classify", safe, safe / "no.png", memory=2 * 2**30)
    assert code == 6
    assert "it unpacks to 100,663,303 bytes; expected at most" in message


def test_an_archive_that_states_less_than_it_holds_is_refused(safe, bomb):
    (safe / "model.skops").write_bytes(understated(bomb, "schema.json"))
    reseal(safe)
    assert "cannot be read" in use(safe)


def test_rows_that_unpack_to_much_more_are_refused(safe):
    content = zeros("training.npy", 96 * 2**20, npy_header((6 * 2**20, 16)))
    (safe / "rows.npz").write_bytes(content)
    reseal(safe)
    assert "rows.npz: it unpacks to" in use(safe)


def test_rows_of_another_shape_are_refused(safe):
    for content in (
        {"training.npy": npy_header((10**12, 16))},
        {"training.npy": npy_header((2**62, 2**62))},
        {"training.npy": npy_header((-1, -16)) + bytes(16)},
        {"training.npy": npy_header((1, 8)) + bytes(8), "held_out.npy": npy_header((0, 16))},
        {"training.npy": npy_header((1, 16)) + bytes(16)},
        {},
    ):
        (safe / "rows.npz").write_bytes(archive(content))
        reseal(safe)
        assert "is damaged: rows.npz" in use(safe)


def test_archives_of_many_or_oddly_packed_members_are_refused(safe):
    members = members_of(safe / "model.skops")
    many = archive({f"{number}".zfill(60_000): b"" for number in range(150)}, zipfile.ZIP_STORED)
    for content, reason in (
        (many, "too many members"),
        (archive(members, zipfile.ZIP_BZIP2), "compressed in an unexpected way"),
        (archive(members, zipfile.ZIP_LZMA), "compressed in an unexpected way"),
        (archive(members) + b"\0", "not a ZIP archive"),
    ):
        (safe / "model.skops").write_bytes(content)
        reseal(safe)
        assert reason in use(safe)


def with_schema(safe, change):
    """Change the tree of types of a model, and make all digests right."""
    members = members_of(safe / "model.skops")
    schema = json.loads(members["schema.json"])
    change(schema)
    (safe / "model.skops").write_bytes(
        archive(members | {"schema.json": json.dumps(schema).encode()})
    )
    reseal(safe)


def nodes(value):
    """Yield the objects of parsed JSON."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from nodes(item)


def arrays(schema):
    return [node for node in nodes(schema) if str(node.get("file")).endswith(".npy")]


def test_a_schema_that_names_an_array_many_times_is_refused(safe):
    members = members_of(safe / "model.skops")
    members["big.npy"] = npy_header((2**24,)) + bytes(2**24)
    schema = json.loads(members["schema.json"])
    node = arrays(schema)[0] | {"file": "big.npy"}
    schema["content"]["content"]["many_"] = {
        "__class__": "list", "__module__": "builtins", "__loader__": "ListNode",
        "content": [node] * 200,
    }  # fmt: skip
    members["schema.json"] = json.dumps(schema).encode()
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)
    assert "its arrays have 3,35" in use(safe)


def test_a_deeply_nested_schema_is_refused(safe):
    members = members_of(safe / "model.skops")
    members["schema.json"] = DEEP.encode()
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)
    assert "nested more than 100 levels deep" in use(safe)


def booster(schema):
    """Return the node of the text of a LightGBM model."""
    (node,) = (node for node in nodes(schema) if node.get("__class__") == "Booster")
    return node["content"]["content"]["_handle"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("left_child=", "left_child=9", "does not exist"),
        ("right_child=", "right_child=-9", "does not exist"),
        ("split_feature=", "split_feature=99", "not among"),
        ("num_leaves=", "num_leaves=9", "another number"),
        ("num_class=3", "num_class=1", "not a classifier"),
        ("multiclass num_class:3", "multiclass num_class:9", "not a classifier"),
        ("num_cat=0", "num_cat=1", "unexpected kind"),
        ("tree_sizes=", "tree_sizes=1", ""),
        ("max_feature_idx=", "other=", "max_feature_idx"),
    ],
)
def test_lightgbm_trees_that_lead_nowhere_are_refused(safe, old, new, reason):
    def change(schema):
        node = booster(schema)
        text = json.loads(node["content"])
        assert old in text
        text = text.replace(old, new)
        if "tree_sizes" not in new:  # keep the stated sizes right
            header, first, rest = text.partition("\nTree=0\n")
            trees = (first[1:] + rest).split("end of trees")[0].split("Tree=")[1:]
            sizes = " ".join(str(len(f"Tree={tree}")) for tree in trees)
            lines = [
                f"tree_sizes={sizes}" if line.startswith("tree_sizes") else line
                for line in header.split("\n")
            ]
            text = "\n".join(lines) + first + rest
        node["content"] = json.dumps(text)

    with_schema(safe, change)
    message = use(safe)
    assert "a LightGBM model is invalid" in message
    assert reason in message


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("left_child", 10**6, "does not exist"),
        ("right_child", 0, "a circle"),
        ("right_child", -5, "does not exist"),
        ("feature", 10**6, "not among"),
        ("feature", -3, "not among"),
    ],
)
def test_trees_of_forests_that_lead_nowhere_are_refused(safe, field, value, reason):
    members = members_of(safe / "model.skops")
    for name, content in members.items():
        if not name.endswith(".npy"):
            continue
        array = np.load(io.BytesIO(content))
        if array.dtype.names and "left_child" in array.dtype.names:
            array[field][0] = value
            stream = io.BytesIO()
            np.save(stream, array)
            members[name] = stream.getvalue()
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)
    assert reason in use(safe)


def test_a_forest_that_states_more_nodes_than_it_has_is_refused(safe):
    def change(schema):
        for node in nodes(schema):
            if node.get("__loader__") == "TreeNode":
                node["content"]["content"]["node_count"]["content"] = "1000000"

    with_schema(safe, change)
    assert "another number of nodes" in use(safe)


def ubjson(value):
    """Return a value as XGBoost writes it."""
    if isinstance(value, np.ndarray):
        kinds = {">f4": b"d", ">i4": b"l", ">i8": b"L", "|u1": b"U"}
        return b"[$" + kinds[value.dtype.str] + b"#" + size_of(value) + value.tobytes()
    if isinstance(value, dict):
        pairs = (size_of(key) + key.encode() + ubjson(item) for key, item in value.items())
        return b"{" + b"".join(pairs) + b"}"
    if isinstance(value, list):
        return b"[#" + size_of(value) + b"".join(map(ubjson, value))
    if isinstance(value, str):
        return b"S" + size_of(value) + value.encode()
    return b"L" + struct.pack(">q", value)


def size_of(value):
    return b"L" + struct.pack(">q", len(value))


def with_xgboost(safe, change):
    """Change the XGBoost model of a model, and make all digests right."""
    members = members_of(safe / "model.skops")
    (name,) = (name for name in members if name.endswith(".bin"))
    saved = parse_ubjson(members[name])
    assert ubjson(saved)[:1] == b"{"
    change(saved["learner"])
    members[name] = ubjson(saved)
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("left_children", 10**6, "does not exist"),
        ("left_children", -7, "does not exist"),
        ("right_children", 0, "a circle"),
        ("split_indices", 10**6, "not among"),
        ("split_type", 1, "categorical"),
        ("split_conditions", None, "another number of split_conditions"),
    ],
)
def test_xgboost_trees_that_lead_nowhere_are_refused(safe, key, value, reason):
    def change(learner):
        tree = learner["gradient_booster"]["model"]["trees"][0]
        tree[key] = tree[key][1:].copy() if value is None else tree[key].copy()
        if value is not None:
            tree[key][0] = value

    with_xgboost(safe, change)
    message = use(safe)
    assert "an XGBoost model is invalid" in message
    assert reason in message


def test_xgboost_models_whose_counts_do_not_match_are_refused(safe, models):
    def other_groups(learner):
        learner["gradient_booster"]["model"]["tree_info"][0] = 999

    def other_classes(learner):
        learner["learner_model_param"]["num_class"] = "1000000"

    def other_table(learner):
        learner["learner_model_param"]["num_feature"] = "1000000"

    def nothing(learner):
        pass

    for change in (other_groups, other_classes, other_table):
        shutil.copy(models / "safe" / "model.skops", safe)
        with_xgboost(safe, change)
        assert "an XGBoost model is invalid" in use(safe)
    shutil.copy(models / "safe" / "model.skops", safe)
    with_xgboost(safe, nothing)
    assert use(safe) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[$L#L" + b"\x7f" * 8, b"{" * 1000, b"S" + b"L" + b"\xff" * 8, b"NN"]
)
def test_what_is_no_xgboost_model_is_refused(safe, content):
    members = members_of(safe / "model.skops")
    (name,) = (name for name in members if name.endswith(".bin"))
    members[name] = content
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)
    assert "cannot be read (ValueError" in use(safe)


@pytest.mark.parametrize("name", ["_n_support", "support_vectors_", "_dual_coef_", "columns_"])
def test_arrays_of_wrong_sizes_are_refused(safe, name):
    members = members_of(safe / "model.skops")
    schema = json.loads(members["schema.json"])
    (node,) = (node[name] for node in nodes(schema) if name in node)
    stream = io.BytesIO()
    dtype = np.int32 if name == "_n_support" else np.int64 if name == "columns_" else float
    np.save(stream, np.ones((2, 2) if name != "columns_" else 2, dtype))
    for array in arrays(node) or [node]:
        members[array["file"]] = stream.getvalue()
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)
    assert "cannot be used" in use(safe)


@pytest.mark.parametrize("name", ["priors_", "extractor_", "pipeline_", "ensemble_", "quantiles_"])
def test_a_classifier_that_lacks_a_part_is_refused(safe, name):
    with_schema(safe, lambda schema: schema["content"]["content"].pop(name))
    assert use(safe) is not None


def test_classes_other_than_the_manifests_are_refused(safe):
    reseal(safe, classes=["a", "b", "c"])
    assert "its classes are not those of the manifest" in use(safe)
