"""Archives of shared models and of rows that would take memory or crash libraries."""

import io
import json
import runpy
import struct
import zipfile
from pathlib import Path

import pytest

FOLDERS = runpy.run_path(str(Path(__file__).with_name("model_folders.py")))
archive, arrays, members_of, models, npy_header, reseal, safe, use = (
    FOLDERS[name]
    for name in ("archive", "arrays", "members_of", "models", "npy_header", "reseal", "safe", "use")
)

DEEP = "[" * 100_000 + "]" * 100_000


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
