"""Training: it learns, is bit-reproducible and resumes after interruption."""

import numpy as np
import pytest

from galfeat.embedding.samples import Samples
from galfeat.features.planes import SHAPE

torch = pytest.importorskip("torch", reason="the extra cnn is not installed")

from galfeat.embedding.augmentation import augment  # noqa: E402
from galfeat.embedding.tasks import Plan  # noqa: E402
from galfeat.embedding.training import Training  # noqa: E402

pytestmark = pytest.mark.network

PLAN = Plan(epochs=3, batch_size=32, threads=1, seed=5)


def samples(n=160, seed=0):
    """Return galaxies of two classes, bright at the centre or at the edge, and a parameter."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    y, x = np.mgrid[:64, :64] - 31.5
    middle = np.exp(-0.5 * (x**2 + y**2) / 10.0**2)
    shown = random.normal(0.0, 0.1, (n, *SHAPE))
    shown += np.where(labels[:, None, None] == 0, middle, 1.0 - middle)[:, None]
    drawn = np.arange(n) >= n // 2
    number = np.where(drawn, labels + random.normal(0.0, 0.1, n), np.nan).astype(np.float32)
    return Samples(
        shown.astype(np.float16),
        random.integers(0, 256, (n, 16), dtype=np.uint8),
        {"place": np.where(drawn, -1, labels), "drawn as": np.where(drawn, labels, -1)},
        {"number": number},
        drawn,
        np.arange(n) % 3 == 0,
    )


def weights(trained):
    """Return all weights of a trained network as one vector."""
    return torch.cat([w.flatten().float() for w in trained.trunk.state_dict().values()]).numpy()


def test_it_learns_to_distinguish_the_classes(tmp_path):
    plan = Plan(epochs=6, batch_size=32, threads=1)
    training = Training(samples(480), plan, tmp_path / "state.pt")
    trained = training.run()
    losses = [entry["held_back"] for entry in trained.history]
    assert min(losses) < 0.6 * losses[0]
    assert losses[trained.best_epoch - 1] == min(losses)
    fresh = samples(seed=1)
    with torch.no_grad():
        found = trained.trunk(torch.from_numpy(fresh.planes.astype(np.float32))).numpy()
    labels = np.maximum(fresh.classes["place"], fresh.classes["drawn as"])
    first, second = found[labels == 0], found[labels == 1]
    apart = np.abs(first.mean(axis=0) - second.mean(axis=0)) / (first.std(axis=0) + 1e-3)
    assert apart.max() > 2.0


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path):
    first, again = (
        weights(Training(samples(), PLAN, tmp_path / name).run()) for name in ("one", "two")
    )
    assert (first == again).all()
    other = Plan(epochs=3, batch_size=32, threads=1, seed=6)
    assert (weights(Training(samples(), other, tmp_path / "three").run()) != first).any()


def killed_after(training, epochs):
    """Run a training that is interrupted after `epochs` epochs."""

    def interrupt(done, total):
        if done == epochs:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.run(interrupt)


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    whole = Training(samples(), PLAN, tmp_path / "whole.pt").run()
    checkpoint = tmp_path / "killed.pt"
    killed_after(Training(samples(), PLAN, checkpoint), 2)
    done = []
    resumed = Training(samples(), PLAN, checkpoint).run(lambda epoch, total: done.append(epoch))
    assert done == [2, 3]  # only the last epoch remained
    assert (weights(resumed) == weights(whole)).all()
    assert resumed.history == whole.history


@pytest.mark.parametrize("what", ["other samples", "other plan", "damaged"])
def test_a_state_of_something_else_is_not_taken_up(tmp_path, what):
    checkpoint = tmp_path / "state.pt"
    killed_after(Training(samples(), PLAN, checkpoint), 2)
    plan, data = PLAN, samples()
    if what == "other samples":
        data = samples(seed=3)
    elif what == "other plan":
        plan = Plan(epochs=3, batch_size=32, threads=1, seed=9)
    else:
        checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    done = []
    Training(data, plan, checkpoint).run(lambda epoch, total: done.append(epoch))
    assert done[0] == 0


def test_it_stops_when_nothing_is_gained(tmp_path):
    random = np.random.default_rng(0)
    data = samples()
    noise = Samples(
        random.normal(size=data.planes.shape).astype(np.float16), data.digests,
        {"noise": random.integers(0, 2, len(data))}, {}, data.simulated, data.round,
    )  # fmt: skip
    plan = Plan(epochs=40, patience=2, batch_size=32, threads=1)
    trained = Training(noise, plan, tmp_path / "state.pt").run()
    assert len(trained.history) == trained.best_epoch + plan.patience < plan.epochs


def test_galaxies_held_back_are_never_trained_on(tmp_path):
    training = Training(samples(), PLAN, tmp_path / "state.pt")
    random = torch.Generator().manual_seed(0)
    used = {row for _ in range(5) for rows in training.epoch_rows(random) for row in rows}
    assert used.isdisjoint(training.held_back.tolist())
    assert len(training.held_back) == 16


def test_threads_are_as_they_were_afterwards(tmp_path):
    before = torch.get_num_threads()
    Training(samples(), Plan(epochs=1, batch_size=32, threads=1), tmp_path / "state.pt").run()
    assert torch.get_num_threads() == before


def test_augmentation_keeps_the_form_and_changes_every_galaxy():
    shown = torch.from_numpy(samples(40).planes.astype(np.float32))
    noise = torch.randn(64, 64, 64, generator=torch.Generator().manual_seed(1))
    turned = torch.arange(40) % 2 == 0
    one, again, other = (
        augment(shown, turned, torch.Generator().manual_seed(seed), noise) for seed in (2, 2, 3)
    )
    assert one.shape == shown.shape
    assert torch.isfinite(one).all()
    assert (one == again).all()
    assert ((one - shown).abs().amax(dim=(1, 2, 3)) > 0.05).all()
    assert ((one - other).abs().amax(dim=(1, 2, 3)) > 0.05).all()
