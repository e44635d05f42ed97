"""Exceptions and warnings of galfeat.

Each message names what was found, what was expected and what to do about it.
The command line prints it on one line and exits with the class's exit code.
"""

from __future__ import annotations

INTERRUPTED = "interrupted, nothing half-written was left"
INTERRUPTED_EXIT_CODE = 130


class GalfeatError(Exception):
    """Base class of all errors galfeat raises on purpose."""

    exit_code = 1


class DataError(GalfeatError):
    """A data set cannot be opened, or does not suit the operation."""

    exit_code = 4


class ImageError(DataError):
    """An image cannot be decoded, or has the wrong shape, dtype or values."""

    def naming(self, image: object) -> str:
        """Return the message, beginning with the name of the image."""
        message = str(self)
        return message if message.startswith(str(image)) else f"{image}: {message}"


class PipelineError(GalfeatError):
    """A pipeline does not exist, or has an invalid setting."""

    exit_code = 5


class ModelError(GalfeatError):
    """A model folder is damaged, untrusted or of an incompatible version."""

    exit_code = 6


class OutputError(GalfeatError):
    """An output cannot be written."""

    exit_code = 7


class FetchError(GalfeatError):
    """A download failed or did not match its checksum."""

    exit_code = 8


class MissingDependencyError(GalfeatError):
    """An optional dependency is required but not installed."""

    exit_code = 9


class GalfeatWarning(UserWarning):
    """A recoverable condition the user should be aware of."""
