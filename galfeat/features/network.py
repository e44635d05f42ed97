"""A network that turns a galaxy into activations: kept as ONNX bytes, run by onnxruntime."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import ModelError

Activations = NDArray[np.float32]

#: The files of a trained network's folder: itself, and the digests of the images it has seen.
NETWORK, SEEN = "embedder.onnx", "seen.npy"
#: Activations of the small network's last layer.
WIDTH = 128


class Network:
    """An ONNX network with one input and one output.

    It is pickled as its bytes; a session is made in each process when it is first run. It
    runs on the calling thread alone, so that the result does not depend on the machine's
    cores, and may be run by several threads at once.

    Parameters
    ----------
    content : bytes
        An ONNX file.

    Attributes
    ----------
    content : bytes
    digest : str
        SHA-256 of the bytes, in hexadecimal digits.
    """

    def __init__(self, content: bytes) -> None:
        self.__setstate__({"content": content})

    def __getstate__(self) -> dict[str, Any]:
        """Return the bytes alone: a session belongs to its process."""
        return {"content": self.content}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the bytes; the session is made when it is needed."""
        self.content: bytes = state["content"]
        self.digest = hashlib.sha256(self.content).hexdigest()
        self._session: Any = None
        self._lock = threading.Lock()

    def run(self, batch: NDArray[np.float32]) -> Activations:
        """Return the activations of a batch.

        Parameters
        ----------
        batch : ndarray of float32, shape (n, ...)
            In the form of the network's input.

        Returns
        -------
        ndarray of float32, shape (n, d)

        Raises
        ------
        ModelError
            If the bytes are no network that onnxruntime can run, or the batch has another
            form than its input.
        """
        session = self._opened()
        try:
            (result,) = session.run(None, {session.get_inputs()[0].name: batch})
        except Exception as error:
            raise ModelError(
                f"the network does not take an input of the shape {batch.shape}: "
                f"{' '.join(str(error).split())}"
            ) from error
        activations: Activations = np.asarray(result, np.float32).reshape(len(batch), -1)
        return activations

    def _opened(self) -> Any:  # noqa: ANN401
        with self._lock:
            if self._session is None:
                self._session = _session(self.content)
            return self._session


def _session(content: bytes) -> Any:  # noqa: ANN401
    # It would tell its maker of this machine, and keep a number for it in the home folder.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; its warnings speak of graphs, not to users
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            f"onnxruntime cannot open the network: {' '.join(str(error).split())}; "
            "give an ONNX file with one input and one output"
        ) from error
    inputs, outputs = len(session.get_inputs()), len(session.get_outputs())
    if (inputs, outputs) != (1, 1):
        raise ModelError(
            f"the network has {inputs} inputs and {outputs} outputs; it should have one of each"
        )
    return session
