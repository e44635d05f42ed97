import numpy as np
import pytest

from galfeat.errors import OutputError
from galfeat.storage.checkpoint import CheckpointStore, sources_digest

KEY = {"pipeline": {"kind": "svm"}, "fold": 1}


def test_entries_are_found_only_by_their_complete_key(tmp_path):
    pieces = CheckpointStore(tmp_path / "a" / "b", {"seed": 1})
    assert pieces.get(KEY) is None
    pieces.put(KEY, {"x": np.arange(3), "s": np.array(0.5)})
    found = CheckpointStore(tmp_path / "a" / "b", {"seed": 1}).get(KEY)
    np.testing.assert_array_equal(found["x"], [0, 1, 2])
    assert found["s"] == 0.5
    assert pieces.get(KEY | {"fold": 2}) is None
    assert CheckpointStore(tmp_path / "a" / "b", {"seed": 2}).get(KEY) is None
    assert len(list((tmp_path / "a" / "b").iterdir())) == 1


def test_damaged_entries_are_ignored(tmp_path):
    pieces = CheckpointStore(tmp_path, {})
    pieces.put(KEY, {"x": np.arange(1000)})
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], whole.replace(whole[500:510], b"0123456789")):
        file.write_bytes(damaged)
        assert pieces.get(KEY) is None
    pieces.put(KEY, {"x": np.arange(1000)})
    assert file.read_bytes() == whole


def test_unwritable_folders_are_errors(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot create the folder"):
        CheckpointStore(tmp_path / "file", {})


def test_a_retrained_network_invalidates_entries(tmp_path, monkeypatch):
    before = sources_digest()
    (tmp_path / "some-network").mkdir()
    (tmp_path / "some-network" / "embedder.onnx").write_bytes(b"other weights")
    monkeypatch.setattr("galfeat.storage.checkpoint.data_folder", lambda name: tmp_path)
    assert sources_digest.__wrapped__() != before
