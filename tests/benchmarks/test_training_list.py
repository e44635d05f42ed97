"""The list of galaxies a model was fitted to."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from galfeat.data import pixel_digest
from galfeat.data.fetch.training import read_training
from galfeat.errors import DataError

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "training_list.py"


@pytest.fixture(scope="module")
def listing():
    """The script."""
    specification = importlib.util.spec_from_file_location("training_list", FILE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def table(tmp_path):
    """A table of four galaxies, the last unreadable, and the digests of the first three."""
    lines = ["filename,class_id,class_name,coarse,label_source,survey,group_id,original_path"]
    digests = []
    for row in range(3):
        image = np.full((8, 8, 3), row, np.uint8)
        Image.fromarray(image).save(tmp_path / f"{row}.png")
        digests.append(np.frombuffer(pixel_digest(image), np.uint8))
        lines.append(f"{row}.png,1,Merging,merger,gz1,SDSS,58773247145600635{9 - row},/home/me/x")
    lines.append("3.png,1,Merging,merger,gz1,SDSS,587732471456006355,/home/me/x")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return tmp_path / "labels.csv", np.array(digests)


def test_training_images_are_listed_without_files(listing, table, tmp_path):
    file, digests = table
    target = tmp_path / "training.csv"
    listing.write_rows(listing.training_rows(file, digests[[2, 0]]), target)
    assert target.read_text().splitlines() == [
        "object,survey,class_name,coarse,label_source",
        "587732471456006357,SDSS,Merging,merger,gz1",
        "587732471456006359,SDSS,Merging,merger,gz1",
    ]
    assert len(read_training(target)) == 2


def test_a_table_without_all_training_images_is_an_error(listing, table):
    file, digests = table
    with pytest.raises(DataError, match="has 1 of the 2 images the model was fitted to"):
        listing.training_rows(file, np.stack([digests[0], digests[0] ^ 1]))


def test_an_object_unknown_to_the_surveys_is_not_written(listing, tmp_path):
    row = {"object": "20506876677a09d1", "survey": "DECaLS", "coarse": "", "label_source": "x"}
    with pytest.raises(DataError, match="object '20506876677a09d1'"):
        listing.write_rows([row], tmp_path / "training.csv")
    assert list(tmp_path.iterdir()) == []
