"""PyTorch where it is needed: that it is there, and how many threads it uses."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from galfeat.errors import MissingDependencyError


def demand_torch() -> None:
    """Raise unless PyTorch can be imported.

    Raises
    ------
    MissingDependencyError
        With the extra that brings it.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            "a network needs PyTorch, which is not installed: pip install 'galfeat[cnn]'"
        ) from error


_lock = threading.Lock()
_inside = 0
_threads_before = 1


@contextlib.contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let PyTorch use one thread: its sums depend on how many share them.

    The number is the process's. The first of several that train side by side sets it, and the
    last puts back what was there.
    """
    global _inside, _threads_before
    import torch

    with _lock:
        if _inside == 0:
            _threads_before = torch.get_num_threads()
        _inside += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                torch.set_num_threads(_threads_before)
