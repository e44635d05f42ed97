"""Train a network on galaxies and write it with its card to a folder."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from galfeat import __version__
from galfeat.embedding.card import card, training_curve
from galfeat.embedding.samples import Samples
from galfeat.embedding.sources import Source
from galfeat.errors import MissingDependencyError
from galfeat.features.network import NETWORK, SEEN
from galfeat.storage.atomic import atomic_folder, ensure_writable

if TYPE_CHECKING:
    from galfeat.embedding.tasks import Plan
    from galfeat.embedding.training import Trained

#: Packages that examples need, in the notation of pytest-doctestplus.
__doctest_requires__ = {"make_embedder": ["torch", "onnx"]}

CURVE, CARD = "curve.svg", "README.md"


def require_training_packages() -> None:
    """Check that PyTorch and the ONNX library are installed.

    Raises
    ------
    MissingDependencyError
        If one of them is not.
    """
    for package in ("torch", "onnx"):
        if find_spec(package) is None:
            raise MissingDependencyError(
                f"training a network needs the package {package}, which is not installed; "
                "install it with: pip install 'galfeat[cnn]'"
            )


def is_embedder(folder: Path) -> bool:
    """Return whether a folder contains a network written by `make_embedder`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.embedding import is_embedder
    >>> is_embedder(Path("no-such-folder"))
    False
    """
    return (folder / NETWORK).is_file() and (folder / SEEN).is_file()


def make_embedder(
    folder: Path,
    samples: Samples,
    sources: Sequence[Source],
    plan: Plan,
    *,
    command: str,
    credit: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train a network and write its folder; resumes an interrupted training.

    Parameters
    ----------
    folder : Path
        Written atomically; until then, the state of the training is stored next to it.
    samples, sources
        Training data, and its description for the card.
    plan : Plan
    command : str
        The command line, for the card.
    credit : str
        Credit for images and labels, for the card.
    progress : callable, optional
        Called with the number of completed epochs and the maximum number.

    Examples
    --------
    One epoch on noise, which is too little for a useful network:

    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from galfeat.embedding import Source, make_embedder
    >>> from galfeat.embedding.samples import Samples
    >>> from galfeat.embedding.tasks import Plan
    >>> rng, yes = np.random.default_rng(0), np.ones(40, bool)
    >>> samples = Samples(
    ...     planes=rng.normal(size=(40, 5, 64, 64)).astype(np.float16),
    ...     digests=rng.integers(256, size=(40, 16), dtype=np.uint8),
    ...     classes={"form": np.arange(40) % 2}, numbers={}, simulated=~yes, round=yes,
    ... )
    >>> source = Source("noise", 40, {"form": {"round": 20, "flat": 20}}, sha256="0" * 64)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan = Plan(epochs=1, threads=1)
    ...     trained = make_embedder(Path(folder, "net"), samples, [source], plan, command="example")
    ...     sorted(file.name for file in Path(folder, "net").iterdir())
    ['README.md', 'curve.svg', 'embedder.onnx', 'seen.npy']
    """
    from galfeat.embedding.onnx_file import to_onnx
    from galfeat.embedding.training import Training

    checkpoint = folder.resolve().with_name(f".{folder.name}-unfinished.pt")
    ensure_writable(checkpoint)
    trained = Training(samples, plan, checkpoint).run(progress)
    network = to_onnx(trained.trunk)
    seen = samples.digests[~samples.simulated]
    versions = ", ".join(
        [
            f"galfeat {__version__}",
            *(f"{name} {version(name)}" for name in ("torch", "onnx", "numpy")),
            f"Python {platform.python_version()}",
        ]
    )
    with atomic_folder(folder, replaces=is_embedder) as temporary:
        (temporary / NETWORK).write_bytes(network.content)
        np.save(temporary / SEEN, np.unique(seen, axis=0))
        (temporary / CURVE).write_text(training_curve(trained.history, trained.best_epoch))
        text = card(
            command, sources, plan, trained,
            n_seen=len(seen), size=len(network.content), versions=versions, credit=credit,
        )  # fmt: skip
        (temporary / CARD).write_text(text, encoding="utf-8")
    checkpoint.unlink(missing_ok=True)
    return trained
