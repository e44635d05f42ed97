"""``galfeat embedder train``: from galaxies to a folder with a network and its card."""

import re
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from galfeat.cli import main
from galfeat.data import pixel_digest
from galfeat.data.simulation.simulator import simulate
from galfeat.embedding.making import CARD, CURVE
from galfeat.features.network import NETWORK, SEEN, WIDTH, Network
from galfeat.features.planes import SHAPE
from galfeat.features.shipped_networks import FROZEN, START, network_folder, shipped_network

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A folder of 24 labelled galaxies, and their digests."""
    folder = tmp_path_factory.mktemp("galaxies")
    images = simulate(24, seed=3, class_counts=[3] * 8 + [0, 0]).images
    lines = ["filename,form"]
    for row, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{row:02}.png")
        lines.append(f"{row:02}.png,{'flat' if row % 2 else 'round'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder, {pixel_digest(image) for image in images}


def train(*arguments):
    """Run the command; return what it printed, and its exit code."""
    done = CliRunner().invoke(main, ["embedder", "train", *map(str, arguments)])
    return done.output, done.exit_code


@pytest.mark.parametrize(
    "option",
    [
        ("--share", "nan"), ("--share", 0), ("--share", "1e999"), ("--epochs", 10**30),
        ("--threads", 10**30), ("--simulated", 10**30), ("--seed", -1), ("--seed", 2**32),
    ],
)  # fmt: skip
def test_values_out_of_range_are_usage_errors(tmp_path, option):
    printed, code = train(*option, "-o", tmp_path / "net")
    assert code == 2
    assert f"Invalid value for '{option[0]}'" in printed


@pytest.mark.slow
def test_the_folder_has_network_card_curve_and_training_digests(labelled, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    folder, digests = labelled
    output = tmp_path / "net"
    printed, code = train(
        folder, "--label", "form", "--simulated", 500, "--epochs", 2, "--threads", 1,
        "--credit", "Images by nobody.", "-o", output,
    )  # fmt: skip
    assert code == 0, printed
    assert "24 galaxies from galaxies" in printed.replace(str(folder.parent), "")
    seen = np.load(output / SEEN)
    assert {digest.tobytes() for digest in seen} == digests
    activations = Network((output / NETWORK).read_bytes()).run(np.zeros((3, *SHAPE), np.float32))
    assert activations.shape == (3, WIDTH)
    card = (output / CARD).read_text()
    assert "form: flat 12, round 12" in card
    assert "Images by nobody." in card
    assert "seed 0" in card
    assert len(re.findall(r"`[0-9a-f]{64}`", card)) == 2  # a digest for each source
    assert (output / CURVE).read_text().count("<polyline") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net"]  # no temporary files remain


def test_without_pytorch_one_line_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("galfeat.embedding.making.find_spec", lambda name: None)
    printed, code = train("--simulated", 500, "-o", tmp_path / "net")
    assert code == 9
    assert printed.count("\n") == 1
    assert "pip install 'galfeat[cnn]'" in printed


def test_a_folder_of_other_things_is_not_replaced(tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    printed, code = train("--simulated", 500, "-o", tmp_path / "mine")
    assert code == 7
    assert "is not an embedder; choose another folder" in printed


@pytest.mark.parametrize("name", [FROZEN, START])
def test_the_shipped_networks_need_no_pytorch(name):
    before = set(sys.modules)
    shipped_network(name).run(np.zeros((1, *SHAPE), np.float32))
    assert "torch" not in set(sys.modules) - before


@pytest.mark.parametrize("name", [FROZEN, START])
def test_the_shipped_networks_are_small(name):
    assert len(shipped_network(name).content) <= 2_000_000


def test_the_one_that_goes_on_learning_has_seen_no_real_galaxy():
    assert len(np.load(network_folder(START) / SEEN)) == 0
    assert "It has seen no real galaxy" in (network_folder(START) / CARD).read_text()
