"""The ablation of the plain CNN: its variants and its page."""

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
    """The modules of the script, which is not part of the package."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield [importlib.import_module(name) for name in MODULES]
    finally:
        sys.path.remove(str(FOLDER))
        for name in MODULES:
            sys.modules.pop(name, None)


def test_every_variant_is_valid_and_changes_one_setting(parts):
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
        baseline = shipped.members[0].params
        different = {name for name in baseline if member.params[name] != baseline[name]}
        for name, dependent in companions.items():
            different -= dependent - {name} if name in different else set()
        assert len(different) == 1, pipeline.name
    names = [pipeline.name for pipeline in ablation.VARIANTS]
    assert len(set(names)) == len(names)


def test_transfer_starts_from_the_shipped_network(parts):
    ablation, _ = parts
    by_name = {pipeline.name: pipeline for pipeline in ablation.VARIANTS}
    fine_tuned = by_name["transfer learning"]
    (member,) = fine_tuned.members
    member.check()
    assert (member.kind, fine_tuned.families) == ("network", ("planes",))
    boosted = by_name["transfer, boosting on top"]
    (member,) = boosted.members
    member.check()
    assert (member.kind, boosted.families) == ("lightgbm", ("embedding",))
    for pipeline in (fine_tuned, boosted):
        assert pipeline.frame
        assert (pipeline.calibration, pipeline.folds) == ("vector", ablation.BASELINE.folds)


def predictions(y, accuracy, seed):
    """Return calibrated predictions of one repeat with a given accuracy."""
    rng = np.random.default_rng(seed)
    k = y.max() + 1
    predicted = np.where(rng.random(len(y)) < accuracy, y, (y + rng.integers(1, k, len(y))) % k)
    probabilities = np.full((1, len(y), k), (1 - accuracy) / (k - 1))
    probabilities[0, np.arange(len(y)), predicted] = accuracy
    return OutOfFold(probabilities, predicted[None])


def test_the_page_reports_better_worse_and_not_significant(parts):
    _, text = parts
    y = np.arange(600) % 3
    accuracies = {"baseline": 0.6, "helps": 0.8, "harms": 0.4, "the same": 0.6}
    by_name = {
        name: predictions(y, accuracy, seed)
        for seed, (name, accuracy) in enumerate(accuracies.items())
    }
    comparison = compare_predictions(y, by_name, ["a", "b", "c"])
    page = text.page(
        comparison, dict.fromkeys(accuracies, 10.0) | {"helps": 40.0}, "kind", "69×69", 5, 0
    )
    findings = [line for line in page.splitlines() if "no significant difference." in line]
    assert len(findings) == 3
    for line in findings:
        assert "is significantly better with *helps* and worse with *harms*; 1 of the 3" in line
    assert "- Log loss (lower is better)" in page
    assert "- Macro-F1 (higher is better)" in page
    assert "*helps*, 0.8" in page
    assert "at 4.0 times the time of the baseline" in page
    assert "(chance: 0.333)" in page
    row = next(line for line in page.splitlines() if line.startswith("| the same "))
    assert row.count(" =") == 3


@pytest.mark.network
def test_an_interrupted_run_resumes_from_completed_fits(parts, simulated, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    ablation, text = parts
    monkeypatch.setattr(ablation, "FOLDS", 2)
    dataset = open_dataset(simulated).labelled()
    tiny = {"filters": 2, "epochs": 1, "batch_size": 64}
    first = ablation.variant("baseline", **tiny)
    grey = ablation.variant("grey", colour=False, **tiny)
    ablation.ablate(dataset, [first], tmp_path)
    completed = set(tmp_path.iterdir())
    result = ablation.ablate(dataset, [first, grey], tmp_path)
    assert completed < set(tmp_path.iterdir())
    assert len(completed) == 2
    assert len(set(tmp_path.iterdir())) == 4
    page = text.page(result.comparison, result.seconds, "label", ablation.image_size(dataset), 2, 0)
    assert "| grey |" in page
