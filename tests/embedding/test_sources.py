"""Sources of the galaxies a network is trained on."""

import numpy as np
import pytest

from galfeat.data import pixel_digest
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.simulation.simulator import simulate
from galfeat.embedding.samples import BLOCK, DRAWN, SIMULATED_CLASS, joined, simulated
from galfeat.embedding.sources import gather
from galfeat.errors import DataError
from galfeat.features.planes import SHAPE


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A folder of 40 galaxies with two columns of labels; the first 10 have both."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("labelled")
    drawn = simulate(40, seed=3, class_counts=[4] * 10)
    lines = ["filename,form,fine"]
    for row, image in enumerate(drawn.images):
        Image.fromarray(image).save(folder / f"{row:02}.png")
        form = "flat" if row % 2 else "round"
        lines.append(f"{row:02}.png,{form},{'a' if row < 10 else ''}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder, drawn


def test_rows_with_another_label_are_left_to_the_classifiers(labelled):
    folder, drawn = labelled
    samples, (source,) = gather([str(folder)], labels=["form"], unless="fine")
    kept = {digest.tobytes() for digest in samples.digests}
    assert kept == {pixel_digest(image) for image in drawn.images[10:]}
    assert source.kinds == {"form": {"flat": 15, "round": 15}}
    assert len(samples) == source.galaxies == 30


def test_images_that_cannot_be_read_are_counted(labelled, tmp_path):
    for path in labelled[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "03.png").write_bytes(b"no picture")
    samples, (source,) = gather([str(tmp_path)], labels=["form"])
    assert (len(samples), source.galaxies, source.left_out) == (39, 39, 1)


def test_several_columns_are_several_tasks(labelled):
    samples, (source,) = gather([str(labelled[0])], labels=["form", "fine"])
    assert len(samples) == 40
    assert (samples.classes["fine"] >= 0).sum() == 10
    assert (samples.classes["form"] >= 0).all()
    assert source.kinds["fine"] == {"a": 10}


def test_a_share_is_chosen_by_pixels_and_grows_by_adding(labelled):
    chosen = []
    for share in (0.2, 0.5, 1.0):
        samples, _ = gather([str(labelled[0])], labels=["form"], share=share)
        chosen.append({digest.tobytes() for digest in samples.digests})
    assert chosen[0] < chosen[1] < chosen[2]
    assert len(chosen[2]) == 40


def test_a_network_needs_something_to_learn_from(labelled):
    with pytest.raises(DataError, match="no training data given; specify a data set"):
        gather([], labels=[])
    with pytest.raises(DataError, match="no label columns given; specify them with --label"):
        gather([str(labelled[0])], labels=[])
    with pytest.raises(DataError, match=r"has no rows to train on"):
        gather([str(labelled[0])], labels=["fine"], unless="fine")


def test_simulated_galaxies_have_true_parameters_and_depend_only_on_the_seed():
    one, two = (simulated(BLOCK, seed=4, jobs=jobs) for jobs in (1, 2))
    assert (one.planes == two.planes).all()
    assert (one.digests == two.digests).all()
    assert one.planes.shape[1:] == SHAPE
    assert set(one.numbers) == set(DRAWN)
    counts = np.bincount(one.classes[SIMULATED_CLASS], minlength=len(GALAXY10_DECALS))
    assert (counts > 0.9 * BLOCK / 10).all()
    barred = one.classes[SIMULATED_CLASS] == GALAXY10_DECALS.index("Barred Spiral")
    assert np.median(one.numbers["bar_strength"][barred]) > 0
    other = simulated(1, seed=5, jobs=2)
    assert not {d.tobytes() for d in one.digests} & {d.tobytes() for d in other.digests}


def test_labels_missing_from_one_set_are_unknown_in_the_union(labelled):
    real, _ = gather([str(labelled[0])], labels=["form"])
    whole = joined([real, simulated(BLOCK, seed=4, jobs=2)])
    assert (whole.classes["form"][whole.simulated] == -1).all()
    assert (whole.classes[SIMULATED_CLASS][~whole.simulated] == -1).all()
    assert np.isnan(whole.numbers["q"][~whole.simulated]).all()
    assert len(whole.select(np.array([0, 41]))) == 2
