"""A file for libraries that cannot handle write errors, such as HDF5."""

from __future__ import annotations

import io
import os
from typing import Any


class DeferredErrorFile(io.FileIO):
    """A file that stores the first write error instead of raising it.

    What could not be written stays in memory, and is read from there: HDF5 reads parts of a file
    again, and trusts what it finds. The check `raise_failure` is due before that grows large.
    """

    failure: OSError | None = None

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments)
        self._unwritten: list[tuple[int, bytes]] = []

    def write(self, data: Any) -> int:  # noqa: ANN401
        """Write all bytes, to memory after an error."""
        content = memoryview(data).cast("B")
        start, done = self.tell(), 0
        try:
            while done < len(content) and self.failure is None:
                done += super().write(content[done:])
        except OSError as error:
            self.failure = error
        if done < len(content):
            self._unwritten.append((start + done, bytes(content[done:])))
            super().seek(start + len(content))
        return len(content)

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        """Fill a buffer as if all bytes had been written."""
        content = memoryview(buffer).cast("B")
        start, read = self.tell(), super().readinto(content)
        if not self._unwritten:
            return read
        stop = min(start + len(content), self.seek(0, os.SEEK_END))
        content[read:] = bytes(len(content) - read)
        for position, unwritten in self._unwritten:
            low, high = max(start, position), min(stop, position + len(unwritten))
            if low < high:
                content[low - start : high - start] = unwritten[low - position : high - position]
        super().seek(max(start, stop))
        return max(0, stop - start)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position; the end is that of all bytes."""
        position = super().seek(offset, whence)
        if whence == os.SEEK_END:
            ends = [start + len(content) + offset for start, content in self._unwritten]
            position = super().seek(max(0, position, *ends))
        return position

    def truncate(self, size: int | None = None) -> int:
        """Set the size of the file; an error is stored."""
        try:
            super().truncate(size)
        except OSError as error:
            self.failure = self.failure or error
        return self.tell() if size is None else size

    def raise_failure(self) -> None:
        """Raise the stored error, if any."""
        if self.failure is not None:
            raise self.failure
