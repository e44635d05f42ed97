"""Find a data set in an HDF5 file, and check how it is stored before it is read."""

from __future__ import annotations

import contextlib
import itertools
import math
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import h5py
import numpy as np

from galfeat.data.limits import readable_size
from galfeat.errors import DataError, GalfeatError

MAX_LINKS = 16
"""Number of soft links followed one after another, and depth of virtual data sets."""

_NOT_COMPRESSING = frozenset(
    {
        h5py.h5z.FILTER_SHUFFLE,
        h5py.h5z.FILTER_FLETCHER32,
        h5py.h5z.FILTER_NBIT,
        h5py.h5z.FILTER_SCALEOFFSET,
    }
)
_PARAMETRIC = frozenset({h5py.h5z.FILTER_NBIT, h5py.h5z.FILTER_SCALEOFFSET})
_CHECKSUM, _REFERENCE = 4, 16
_PIECE = 2**20
_DEFLATE_RATIO = 1032
"""The most that deflate can compress."""


@contextlib.contextmanager
def one_file_errors(path: Path) -> Iterator[None]:
    """Raise DataError for anything that h5py raises for a damaged file."""
    try:
        yield
    except (GalfeatError, MemoryError, Warning):
        raise
    except Exception as error:  # h5py raises nearly anything for a damaged file
        raise DataError(
            f"{path} is not a complete HDF5 file ({error}); fetch or copy it again"
        ) from error


def find_data_set(file: h5py.File, path: Path, name: str, links: int = 0) -> h5py.Dataset | None:
    """Return the data set of this name, through groups and soft links, or None.

    Raises
    ------
    DataError
        If the name leads to another file, or through too many links.
    """
    node: Any = file
    parts = name.split("/")
    for position, part in enumerate(parts):
        if not isinstance(node, h5py.Group) or part in ("", "."):
            return None
        link = node.get(part, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise DataError(
                f"{name!r} in {path} is a link to the file {link.filename}; expected content of "
                "the file itself: copy the data set into it"
            )
        if isinstance(link, h5py.SoftLink):
            if links == MAX_LINKS:
                raise DataError(f"{name!r} in {path} is a link that leads nowhere")
            target = PurePosixPath("/", *parts[:position], link.path, *parts[position + 1 :])
            return find_data_set(file, path, "/".join(target.parts[1:]), links + 1)
        if link is None:
            return None
        node = node[part]
    return node if isinstance(node, h5py.Dataset) else None


def check_storage(
    data_set: h5py.Dataset, name: str, path: Path, limit: int, depth: int = 0
) -> None:
    """Check that a data set can be read safely.

    HDF5 shows the bytes of any file as external storage, reads missing sources of a virtual
    data set as blank, and may crash where the stored size of a chunk is wrong.

    Parameters
    ----------
    data_set : h5py.Dataset
    name : str
    path : Path
        The file.
    limit : int
        Maximum number of bytes of a chunk.
    depth : int
        Number of virtual data sets that led here.

    Raises
    ------
    DataError
        If it is stored in other files, was never written, is damaged, has too large chunks, or
        needs a filter that h5py lacks.
    """
    what = f"{name!r} in {path}"
    properties = data_set.id.get_create_plist()
    if properties.get_external_count():
        raise DataError(
            f"{what} is stored in the file {data_set.external[0][0]}; expected content of the "
            "file itself: copy the data into it"
        )
    if properties.get_layout() == h5py.h5d.VIRTUAL:
        _check_sources(data_set, what, path, limit, depth)
    elif data_set.size and not data_set.id.get_storage_size():
        raise DataError(f"{what} has no data, it was never written; write the file again")
    elif properties.get_layout() == h5py.h5d.CHUNKED:
        _check_filters(data_set, what)
        _check_chunks(data_set, what, path, limit)


def _check_filters(data_set: h5py.Dataset, what: str) -> None:
    properties = data_set.id.get_create_plist()
    size = math.prod(data_set.chunks), _element_size(data_set)
    compressing: list[str] = []
    for index in range(properties.get_nfilters()):
        code, _, values, label = properties.get_filter(index)
        name = label.decode("utf-8", "replace") or str(code)
        if not h5py.h5z.filter_avail(code):
            raise DataError(
                f"{what} is compressed with the filter {name!r} ({code}), which h5py lacks; "
                "compress it with gzip instead, or set HDF5_PLUGIN_PATH to a folder with the filter"
            )
        if code in _PARAMETRIC and (len(values) < 5 or (values[2], values[4]) != size):
            raise DataError(f"{what} has a damaged filter {name!r}; fetch or copy the file again")
        if code not in _NOT_COMPRESSING:
            compressing.append(name)
    if len(compressing) > 1:
        raise DataError(
            f"{what} is compressed {len(compressing)} times ({', '.join(compressing)}); expected "
            "once: compress it with gzip alone"
        )


def _check_chunks(data_set: h5py.Dataset, what: str, path: Path, limit: int) -> None:
    properties = data_set.id.get_create_plist()
    chunk = math.prod(data_set.chunks) * _element_size(data_set)
    if chunk > limit:
        raise DataError(
            f"{what} has chunks of {readable_size(chunk)}; expected at most "
            f"{readable_size(limit)}: use smaller chunks"
        )
    filtered = properties.get_nfilters() > 0
    smallest = _CHECKSUM if filtered else chunk
    largest = _most_stored(data_set) if filtered else chunk
    end = path.stat().st_size

    def damaged(stored: Any) -> bool | None:  # noqa: ANN401
        inside = 0 < stored.byte_offset <= end - stored.size
        return None if inside and smallest <= stored.size <= largest else True

    if _any_chunk(data_set, damaged):
        raise DataError(f"{what} has a damaged chunk; fetch or copy the file again")


def _any_chunk(data_set: h5py.Dataset, is_wrong: Callable[[Any], bool | None]) -> bool:
    """Return whether `is_wrong` returns True for a chunk; False before HDF5 1.12.3."""
    return hasattr(data_set.id, "chunk_iter") and bool(data_set.id.chunk_iter(is_wrong))


def _element_size(data_set: h5py.Dataset) -> int:
    """Return the number of bytes that an element takes in the file."""
    kind = data_set.id.get_type()
    if isinstance(kind, h5py.h5t.TypeVlenID) or (
        isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
    ):
        return _REFERENCE
    size: int = kind.get_size()
    return size


def _most_stored(data_set: h5py.Dataset) -> int:
    """Return the maximum size of a stored chunk that was filtered."""
    chunk: int = math.prod(data_set.chunks) * _element_size(data_set)
    return chunk + chunk // 8 + 4096


class InflationCheck:
    """Check that compressed chunks hold no more than declared: HDF5 inflates all they hold.

    Chunks so small that they cannot exceed the limit are not checked.

    Parameters
    ----------
    data_set : h5py.Dataset
        Checked by `check_storage`.
    limit : int
        Maximum number of bytes of an inflated chunk.
    """

    def __init__(self, data_set: h5py.Dataset, limit: int) -> None:
        self._checked: set[tuple[int, ...]] = set()
        properties = data_set.id.get_create_plist()
        filters = [properties.get_filter(index)[0] for index in range(properties.get_nfilters())]
        self._position = -1
        if h5py.h5z.FILTER_DEFLATE in filters and _most_stored(data_set) * _DEFLATE_RATIO > limit:
            large = _any_chunk(
                data_set, lambda stored: True if stored.size * _DEFLATE_RATIO > limit else None
            )
            self._position = filters.index(h5py.h5z.FILTER_DEFLATE) if large else -1

    def check(self, data_set: h5py.Dataset, start: int, stop: int) -> None:
        """Raise DataError if a chunk of some rows holds more than declared."""
        if self._position < 0:
            return
        first, *sides = data_set.chunks
        corners = itertools.product(
            range(start // first * first, stop, first),
            *(range(0, size, side) for size, side in zip(data_set.shape[1:], sides, strict=True)),
        )
        size = math.prod(data_set.chunks) * _element_size(data_set)
        for corner in corners:
            if corner not in self._checked and data_set.id.get_chunk_info_by_coord(corner).size:
                mask, content = data_set.id.read_direct_chunk(corner)
                if not mask >> self._position & 1 and _inflates_beyond(content, size):
                    raise DataError("a chunk holds more than it declares")
                self._checked.add(corner)


def _inflates_beyond(content: bytes, size: int) -> bool:
    stream, inflated = zlib.decompressobj(), 0
    while content and not stream.eof:
        inflated += len(stream.decompress(content, _PIECE))
        if inflated > size:
            return True
        content = stream.unconsumed_tail
    return False


def _check_sources(data_set: h5py.Dataset, what: str, path: Path, limit: int, depth: int) -> None:
    if depth == MAX_LINKS:
        raise DataError(f"{what} is a virtual data set whose sources lead nowhere")
    folder = path.resolve().parent
    sources = {
        (source.file_name, source.dset_name, source.src_space.shape)
        for source in data_set.virtual_sources()
    }
    for file_name, name, shape in sorted(sources):
        source = path if file_name == "." else (folder / file_name).resolve()
        if not source.is_relative_to(folder):
            raise DataError(
                f"{what} takes its data from {file_name}; expected files in the folder {folder} or "
                "below: move them there, or copy the data into the file"
            )
        if not source.is_file():
            raise DataError(
                f"{what} takes its data from {file_name}, which does not exist; fetch it too"
            )
        with one_file_errors(source), h5py.File(source, "r", locking="best-effort") as file:
            found = find_data_set(file, source, name.strip("/"))
            if found is not None:
                check_storage(found, name, source, limit, depth + 1)
            size = None if found is None else found.shape
        if size is None or len(size) != len(shape) or np.less(size, shape).any():
            raise DataError(
                f"{what} takes data of shape {shape} from {name!r} in {file_name}, which has shape "
                f"{size}; fetch or write the files again"
            )
