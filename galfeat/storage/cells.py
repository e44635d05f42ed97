"""Text in output: cells that no spreadsheet runs, and names that are not UTF-8.

File names are bytes. Python keeps those that are not UTF-8 as lone surrogates, which CSV files
hold as the original bytes and other formats as escapes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from typing import Any

#: Error handler of output encodings: original bytes of file names, escapes of other surrogates.
ORIGINAL_BYTES = "galfeat-original-bytes"

# The characters that start a formula in a spreadsheet, after any apostrophes, by OWASP's list.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r"\\x[89a-f][0-9a-f]|\\u[d][89a-f][0-9a-f]{2}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FIRST_BYTE, _LAST_BYTE, _BYTES = 0xDC80, 0xDCFF, 0xDC00


def csv_cell(text: str) -> str:
    """Return text as a cell that spreadsheets do not run as a formula.

    Text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break is prefixed with an
    apostrophe, unless it is a number. Apostrophes before such a character are kept, so removing
    the first apostrophe of a cell that matches ``'+[=+-@]`` restores the text.

    Examples
    --------
    >>> from galfeat.storage import csv_cell
    >>> [csv_cell(text) for text in ("=1+1", "-0.5", "m51.png", "'=1")]
    ["'=1+1", '-0.5', 'm51.png', "''=1"]
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def csv_cells(cells: Iterable[str | float | None], *, raw: bool = False) -> list[str | float]:
    """Return a row for `csv.writer`: text through `csv_cell` unless `raw`, None as an empty cell.

    Examples
    --------
    >>> from galfeat.storage.cells import csv_cells
    >>> csv_cells(["@m51", -0.5, None])
    ["'@m51", -0.5, '']
    """
    present = ("" if cell is None else cell for cell in cells)
    return [csv_cell(cell) if isinstance(cell, str) and not raw else cell for cell in present]


def valid_text(name: str) -> str:
    r"""Return a name as valid Unicode, for JSON and Parquet.

    A byte that is not UTF-8 becomes ``\xNN``. In a name with such bytes, or with the text of such
    an escape, backslashes are doubled, so every name can be restored. Others are returned
    unchanged.

    Examples
    --------
    >>> from galfeat.storage import valid_text
    >>> print(valid_text("m51.png"), valid_text("m51\udcff.png"))
    m51.png m51\xff.png
    """
    if _SURROGATE.search(name) or _ESCAPE.search(name):
        return _SURROGATE.sub(_escape, name.replace("\\", "\\\\"))
    return name


def valid_json(value: Any) -> Any:  # noqa: ANN401
    """Return a value for JSON with `valid_text` applied to all texts and keys in it."""
    if isinstance(value, str):
        return valid_text(value)
    if isinstance(value, Mapping):
        return {valid_json(key): valid_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [valid_json(item) for item in value]
    return value


def printable(text: str) -> str:
    r"""Return text for terminals and pages, with control characters and invalid bytes escaped.

    Examples
    --------
    >>> from galfeat.storage import printable
    >>> print(printable("m51\x1b[2J\udcff.png"))
    m51\x1b[2J\xff.png
    """
    return _CONTROL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return _escaped(ord(match[0]))


def _escaped(code: int) -> str:
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        code -= _BYTES
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _original_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Encode one surrogate; see `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    code, end = ord(error.object[error.start]), error.start + 1
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        return bytes([code - _BYTES]), end
    return error.object[error.start : end].encode("ascii", "backslashreplace").decode(), end


codecs.register_error(ORIGINAL_BYTES, _original_bytes)
