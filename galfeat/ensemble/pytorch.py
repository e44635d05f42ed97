"""Limit the number of PyTorch threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

_lock = threading.Lock()
_inside = 0
_threads_before = 1


@contextlib.contextmanager
def one_torch_thread() -> Iterator[None]:
    """Limit PyTorch to one thread, because its rounding depends on their number.

    The limit applies to the whole process. Of several concurrent users, the first sets it and
    the last restores the previous value.
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
