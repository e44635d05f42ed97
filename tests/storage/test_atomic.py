import contextlib
import os

import pytest

from galfeat.errors import OutputError
from galfeat.storage.atomic import (
    atomic_file,
    atomic_folder,
    ensure_folder_writable,
    ensure_writable,
)


def test_files_appear_only_when_complete(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_file(target) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert target.read_text() == "old"
    with atomic_file(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_symbolic_links_are_written_through(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(real)
    with atomic_file(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_only_regular_files_are_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for target in (tmp_path / "pipe", "/dev/null", tmp_path):
        with pytest.raises(OutputError, match="not a regular file"), atomic_file(target):
            pass


def test_folders_replace_only_folders_of_their_kind(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "thesis.txt").write_text("precious")
    for replaces in (None, lambda folder: (folder / "model").exists()):
        with (
            pytest.raises(OutputError, match="holds other things"),
            atomic_folder(target, replaces=replaces),
        ):
            pass
    assert (target / "thesis.txt").read_text() == "precious"
    with atomic_folder(target, replaces=lambda folder: True) as new:
        (new / "model").write_text("new")
    assert [path.name for path in target.iterdir()] == ["model"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [OSError("broken"), KeyboardInterrupt()])
def test_the_old_folder_is_restored_if_it_cannot_be_replaced(tmp_path, monkeypatch, error):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_text("old")
    rename = type(target).rename

    def fail_for_the_new_one(self, other):
        if other == target.resolve() and (self / "new").exists():
            raise error
        return rename(self, other)

    monkeypatch.setattr(type(target), "rename", fail_for_the_new_one)
    expected = OutputError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected), atomic_folder(target, replaces=lambda folder: True) as new:
        (new / "new").write_text("new")
    assert (target / "old").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_root_folder_is_never_replaced():
    with pytest.raises(OutputError, match="/ holds other things"), atomic_folder("/"):
        pass


@pytest.mark.parametrize("write", [atomic_file, atomic_folder, ensure_folder_writable])
def test_a_path_that_leads_nowhere_is_an_output_error(tmp_path, monkeypatch, write):
    (tmp_path / "loop").symlink_to("loop")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for path in (tmp_path / "loop", tmp_path / "loop" / "out", "out", "nul\0l"):
        with (
            pytest.raises(OutputError, match="cannot write"),
            write(path) or contextlib.nullcontext(),
        ):
            pass
    monkeypatch.chdir(tmp_path)


def test_ensure_writable_leaves_files_unchanged(tmp_path):
    ensure_writable(tmp_path / "new.txt")
    (tmp_path / "old.txt").write_text("old")
    ensure_writable(tmp_path / "old.txt")
    ensure_folder_writable(tmp_path / "not" / "yet" / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"


@pytest.mark.parametrize(
    ("check", "place"),
    [
        (ensure_writable, "."),
        (ensure_writable, "absent/new.txt"),
        (ensure_writable, "old.txt/new.txt"),
        (ensure_folder_writable, "old.txt"),
        (ensure_folder_writable, "old.txt/folder"),
    ],
)
def test_unwritable_paths_are_detected_early(tmp_path, check, place):
    (tmp_path / "old.txt").write_text("old")
    with pytest.raises(OutputError):
        check(tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]
