"""The errors galfeat raises on purpose.

Each message names what was found, what was expected and what to do about it.
The command line prints it in one line and leaves with the class's exit code.
"""

from __future__ import annotations

INTERRUPTED = "interrupted, nothing half-written was left"
INTERRUPTED_EXIT_CODE = 130


class GalfeatError(Exception):
    """Root of everything galfeat raises on purpose."""

    exit_code = 1


class DataError(GalfeatError):
    """A data set that cannot be opened, or cannot be used for what was asked."""

    exit_code = 4


class ImageError(DataError):
    """One image that cannot be decoded, or has the wrong shape, type or values."""


class PipelineError(GalfeatError):
    """A pipeline that does not exist, or says something galfeat does not know."""

    exit_code = 5


class ModelError(GalfeatError):
    """A model folder that is damaged, not trusted, or of another version."""

    exit_code = 6


class OutputError(GalfeatError):
    """A result that cannot be written where it was asked to go."""

    exit_code = 7


class FetchError(GalfeatError):
    """A download that did not end in the file it promised."""

    exit_code = 8


class MissingDependencyError(GalfeatError):
    """An optional package that is needed here and not installed."""

    exit_code = 9


class GalfeatWarning(UserWarning):
    """Something the user should know that does not stop the work."""
