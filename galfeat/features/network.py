"""Neural networks from images to activations, stored as ONNX bytes and run by onnxruntime."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import ModelError

Activations = NDArray[np.float32]

#: Files in a network's folder: the network and the digests of its training images.
NETWORK, SEEN = "embedder.onnx", "seen.npy"
#: Activations of the small network's last layer.
WIDTH = 128


class Network:
    """An ONNX network with one input and one output.

    It is pickled as its bytes; each process creates a session at the first run. It runs on the
    calling thread only, so that results do not depend on the number of cores, and is
    thread-safe.

    Parameters
    ----------
    content : bytes
        An ONNX file.

    Attributes
    ----------
    content : bytes
    digest : str
        SHA-256 of the bytes, in hexadecimal digits.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features.network import Network
    >>> from galfeat.features.shipped_networks import shipped_network
    >>> network = shipped_network("embedder")
    >>> isinstance(network, Network), network.run(np.zeros((2, 5, 64, 64), np.float32)).shape
    (True, (2, 128))
    """

    def __init__(self, content: bytes) -> None:
        self.__setstate__({"content": content})

    def __getstate__(self) -> dict[str, Any]:
        """Return the bytes only: a session belongs to its process."""
        return {"content": self.content}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the bytes; the session is created when needed."""
        self.content: bytes = state["content"]
        self.digest = hashlib.sha256(self.content).hexdigest()
        self._session: Any = None
        self._lock = threading.Lock()

    def run(self, batch: NDArray[np.float32]) -> Activations:
        """Return the activations of a batch.

        Parameters
        ----------
        batch : ndarray of float32, shape (n, ...)
            In the shape of the network's input.

        Returns
        -------
        ndarray of float32, shape (n, d)

        Raises
        ------
        ModelError
            If onnxruntime cannot run the network, or the shape of the batch does not match its
            input.
        """
        session = self._session_of_process()
        try:
            (result,) = session.run(None, {session.get_inputs()[0].name: batch})
        except Exception as error:
            raise ModelError(
                f"the network does not take an input of the shape {batch.shape}: "
                f"{' '.join(str(error).split())}"
            ) from error
        activations: Activations = np.asarray(result, np.float32).reshape(len(batch), -1)
        return activations

    def _session_of_process(self) -> Any:  # noqa: ANN401
        with self._lock:
            if self._session is None:
                self._session = _session(self.content)
            return self._session


def _session(content: bytes) -> Any:  # noqa: ANN401
    # Its telemetry would also store an identifier in the home folder.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; warnings about graphs do not concern users
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            f"onnxruntime cannot open the network: {' '.join(str(error).split())}; "
            "use an ONNX file with one input and one output"
        ) from error
    inputs, outputs = len(session.get_inputs()), len(session.get_outputs())
    if (inputs, outputs) != (1, 1):
        raise ModelError(
            f"the network has {inputs} inputs and {outputs} outputs; expected one of each"
        )
    return session
