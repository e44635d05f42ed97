"""The ablation of the plain CNN: what its variants change, and what its page says."""

import dataclasses
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from galfeat import open_dataset
from galfeat.evaluate.comparison.paired import OutOfFold, compare_predictions
from galfeat.features import FAMILIES

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "cnn"
MODULES = ("cnn_ablation", "cnn_text")


@pytest.fixture(scope="module")
def parts():
    """The modules, which are parts of a script and not of the package."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield [importlib.import_module(name) for name in MODULES]
    finally:
        sys.path.remove(str(FOLDER))
        for name in MODULES:
            sys.modules.pop(name, None)


def test_every_variant_is_valid_and_changes_one_thing(parts):
    ablation, _ = parts
    first, *others = ablation.VARIANTS
    shipped = ablation.BASELINE
    assert dataclasses.replace(first, name=shipped.name) == shipped
    companions = {"optimiser": {"learning_rate"}, "architecture": set(ablation.ASTRONN)}
    changes = [pipeline for pipeline in others if not pipeline.name.startswith("transfer")]
    assert len(changes) == len(others) - 2
    for pipeline in changes:
        (member,) = pipeline.members
        member.check()
        assert pipeline.families == (f"pixels-{member.params['side']}",)
        assert pipeline.families[0] in FAMILIES
        known = shipped.members[0].params
        different = {name for name in known if member.params[name] != known[name]}
        for name, with_it in companions.items():
            different -= with_it - {name} if name in different else set()
        assert len(different) == 1, pipeline.name
    names = [pipeline.name for pipeline in ablation.VARIANTS]
    assert len(set(names)) == len(names)


def test_transfer_starts_from_the_network_that_comes_with_galfeat(parts):
    ablation, _ = parts
    by_name = {pipeline.name: pipeline for pipeline in ablation.VARIANTS}
    further = by_name["transfer learning"]
    (member,) = further.members
    member.check()
    assert (member.kind, further.families) == ("network", ("planes",))
    boosted = by_name["transfer, boosting on top"]
    (member,) = boosted.members
    member.check()
    assert (member.kind, boosted.families) == ("lightgbm", ("embedding",))
    for pipeline in (further, boosted):
        assert pipeline.frame
        assert (pipeline.calibration, pipeline.folds) == ("temperature", ablation.BASELINE.folds)


def answers(y, right, seed):
    """Answers of one repeat that name the true class so often, with as much certainty."""
    rng = np.random.default_rng(seed)
    k = y.max() + 1
    named = np.where(rng.random(len(y)) < right, y, (y + rng.integers(1, k, len(y))) % k)
    probabilities = np.full((1, len(y), k), (1 - right) / (k - 1))
    probabilities[0, np.arange(len(y)), named] = right
    return OutOfFold(probabilities, named[None])


def test_the_page_tells_better_from_worse_from_neither(parts):
    _, text = parts
    y = np.arange(600) % 3
    given = {"baseline": 0.6, "helps": 0.8, "harms": 0.4, "the same": 0.6}
    said = {name: answers(y, right, seed) for seed, (name, right) in enumerate(given.items())}
    comparison = compare_predictions(y, said, ["a", "b", "c"])
    page = text.page(
        comparison, dict.fromkeys(given, 10.0) | {"helps": 40.0}, "kind", "69×69", 5, 0
    )
    told = [line for line in page.splitlines() if "these galaxies can't tell." in line]
    assert len(told) == 3
    for line in told:
        assert "is better with *helps* and worse with *harms*; for 1 of the 3" in line
    assert "- Log loss (less is better)" in page
    assert "- Macro-F1 (more is better)" in page
    assert "*helps*, 0.8" in page
    assert "for 4.0 times the baseline's time" in page
    assert "chance gives 0.333" in page
    row = next(line for line in page.splitlines() if line.startswith("| the same "))
    assert row.count(" =") == 3


@pytest.mark.network
def test_a_stopped_run_goes_on_with_the_fits_it_made(parts, simulated, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    ablation, text = parts
    monkeypatch.setattr(ablation, "FOLDS", 2)
    dataset = open_dataset(simulated).labelled()
    tiny = {"filters": 2, "epochs": 1, "batch_size": 64}
    first = ablation.changed("baseline", **tiny)
    grey = ablation.changed("grey", colour=False, **tiny)
    ablation.ablate(dataset, [first], tmp_path)
    made = set(tmp_path.iterdir())
    found = ablation.ablate(dataset, [first, grey], tmp_path)
    assert made < set(tmp_path.iterdir())
    assert len(made) == 2
    assert len(set(tmp_path.iterdir())) == 4
    page = text.page(found.comparison, found.seconds, "label", ablation.image_size(dataset), 2, 0)
    assert "| grey |" in page
