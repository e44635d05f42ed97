import dataclasses
import subprocess
import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galfeat.errors import PipelineError
from galfeat.pipeline import (
    Member,
    Pipeline,
    SimulatedGalaxies,
    available_pipelines,
    load_pipeline,
    pipeline_from_dict,
    pipeline_names,
)
from galfeat.storage.packaged import data_folder

GOOD = """
schema = 1
name = "mine"
description = "two members"

[features]
families = ["hog", "colour"]

[ensemble]
combine = "average"

[[ensemble.members]]
kind = "logistic"
params = { C = 0.5 }

[[ensemble.members]]
kind = "svm"
"""


@pytest.fixture
def write(tmp_path):
    def write_pipeline(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_pipeline


def test_all_documented_pipelines_exist():
    assert pipeline_names() == [
        "balanced-forest",
        "cnn-baseline",
        "hog-svm",
        "lightgbm",
        "network",
        "pixels-forest",
        "raw-features",
        "stacking",
        "stacking-embedding",
        "stacking-features",
        "stacking-light",
        "stacking-network",
        "statmorph-forest",
        "transfer",
        "xgboost",
    ]
    assert [pipeline.name for pipeline in available_pipelines()] == pipeline_names()


@pytest.mark.parametrize("name", pipeline_names())
def test_a_shipped_pipeline_passes_every_check_and_has_a_description(name):
    path = data_folder("pipelines") / f"{name}.toml"
    pipeline = load_pipeline(path)
    assert pipeline == load_pipeline(name)
    assert pipeline.name == name
    assert 10 < len(pipeline.description) < 100
    assert pipeline.decision == "tempered"


@pytest.mark.parametrize("name", pipeline_names())
def test_a_pipeline_written_and_read_again_is_equal(name, write):
    pipeline = load_pipeline(name)
    assert load_pipeline(write(pipeline.to_toml())) == pipeline
    assert pipeline_from_dict(pipeline.to_dict()) == pipeline


def test_missing_keys_take_the_documented_defaults(write):
    pipeline = load_pipeline(write(GOOD))
    assert pipeline == Pipeline(
        name="mine",
        description="two members",
        families=("hog", "colour"),
        members=(Member("logistic", {"C": 0.5}), Member("svm")),
        frame=True,
        balance="none",
        combine="average",
        calibration="vector",
        folds=5,
        decision="balanced",
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema = 1", "schema = 2", "schema is 2; this galfeat reads schema 1"),
        ("schema = 1", "", "schema is missing; give a whole number"),
        ("schema = 1", 'schema = "1"', "schema is '1'; it should be a whole number"),
        ("schema = 1", "schema = true", "schema is True; it should be a whole number"),
        ('name = "mine"', 'nam = "mine"', r"nam is not known \(did you mean 'name'\?\)"),
        ("[features]", "[feature]", r"feature is not known \(did you mean 'features'\?\)"),
        ('[features]\nfamilies = ["hog", "colour"]', "features = 3", "features is 3; it should"),
        ("families", "familys", r"\[features\] familys is not known \(did you mean 'families'"),
        ('["hog", "colour"]', '"hog"', "families is 'hog'; it should be a list"),
        ('["hog", "colour"]', "[1]", r"families is \[1\]; it should be a list of strings"),
        ('["hog", "colour"]', "[]", "families is"),
        ('["hog", "colour"]', '["hog", "hog"]', "has duplicates: hog, hog; name each one once"),
        ('["hog", "colour"]', '["hog", "color"]', "no family 'color' .did you mean 'colour'"),
        ('"average"', '"averag"', r"combine is 'averag' \(did you mean 'average'\?\)"),
        ('"average"', '"none"', "combine is 'none' with 2 members"),
        ('kind = "svm"', 'kind = "svn"', r"kind is 'svn' \(did you mean 'svm'\?\)"),
        ('kind = "svm"', "", r"\[ensemble.members\] kind is missing"),
        ('kind = "svm"', 'kind = "svm"\nparam = {}', "param is not known .did you mean 'params'"),
        ("{ C = 0.5 }", "{ c = 0.5 }", "logistic has no parameter 'c'"),
        ("{ C = 0.5 }", '{ C = "much" }', "logistic does not take"),
        ("{ C = 0.5 }", "3", "params is 3; it should be a table"),
        ("[ensemble]", "[calibrate]\nfolds = 1\n[ensemble]", "folds is 1; give at least 2"),
        ("[ensemble]", "[decision]\nrule = 'fair'\n[ensemble]", "rule is 'fair'; it should be"),
        ("[ensemble]", "[balance]\nmethod = 'overs'\n[ensemble]", "did you mean 'over'"),
        ("[ensemble]", "[balance]\nnumber = 500\n[ensemble]", "method is not 'simulate'"),
        *(
            ("[ensemble]", f"[balance]\nmethod = 'simulate'\n{keys}\n[ensemble]", message)
            for keys, message in (
                ("number = 19", "number is 19; give 20 to 200,000"),
                ("number = 10000000", "give 20 to 200,000"),
                ("number = 1e3", "number is 1000.0; it should be a whole number"),
                ("weight = 0.0", "weight is 0.0; give more than 0"),
                ("weight = nan", "weight is nan; give more than 0"),
                ("weight = 1e9", "at most 100"),
                ("renderings = ['sds']", r"renderings has 'sds' .did you mean 'sdss'"),
                ("renderings = []", "renderings is"),
                ("weighted = 0.1", "did you mean 'weight'"),
            )
        ),
    ],
)
def test_an_error_names_its_location_and_the_closest_valid_name(old, new, message, write):
    path = write(GOOD.replace(old, new, 1))
    with pytest.raises(PipelineError, match=message) as caught:
        load_pipeline(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_members_at_all(write):
    text = GOOD.split("[ensemble]")[0] + "[ensemble]\nmembers = []\n"
    with pytest.raises(PipelineError, match="members is empty"):
        load_pipeline(write(text))


def test_broken_toml_is_reported_with_its_line(write):
    with pytest.raises(PipelineError, match=r"not valid TOML: .*line 3"):
        load_pipeline(write('schema = 1\nname = "x"\ndescription = \n'))


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "picture.toml"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(PipelineError, match="not UTF-8"):
        load_pipeline(path)


def test_a_pipeline_that_does_not_exist(tmp_path):
    with pytest.raises(
        PipelineError, match=r"no pipeline 'ligthgbm' \(did you mean 'lightgbm'\?\)"
    ):
        load_pipeline("ligthgbm")
    with pytest.raises(PipelineError, match="No such file"):
        load_pipeline(tmp_path / "absent.toml")
    with pytest.raises(PipelineError, match="Is a directory"):
        load_pipeline(tmp_path)


def test_a_suffix_changes_the_balancing_of_a_shipped_pipeline():
    plain, other = load_pipeline("hog-svm"), load_pipeline("hog-svm+smote")
    assert (other.name, other.balance) == ("hog-svm+smote", "smote")
    changed = dataclasses.replace(
        other, name=plain.name, description=plain.description, balance=plain.balance
    )
    assert changed == plain


def test_a_suffix_changes_the_balancing_of_a_pipeline_file(write):
    path = write(GOOD)
    assert load_pipeline(f"{path}+under").balance == "under"
    with_plus = path.rename(path.with_name("a+b.toml"))
    assert load_pipeline(with_plus).balance == "none"
    assert load_pipeline(f"{with_plus}+over").balance == "over"


def test_simulated_galaxies_are_described_in_the_balance_table(write):
    balance = "[balance]\nmethod = 'simulate'\nnumber = 500\nrenderings = ['legacy']\n[ensemble]"
    pipeline = load_pipeline(write(GOOD.replace("[ensemble]", balance, 1)))
    assert pipeline.simulated == SimulatedGalaxies(500, 0.1, ("legacy",))
    assert load_pipeline(write(pipeline.to_toml())) == pipeline
    assert load_pipeline("hog-svm+simulate").simulated == SimulatedGalaxies()
    plain = load_pipeline("hog-svm")
    assert "number" not in plain.to_toml()


def test_an_unknown_balancing_method():
    with pytest.raises(PipelineError, match=r"no balancing method 'smot' \(did you mean 'smote'"):
        load_pipeline("hog-svm+smot")
    with pytest.raises(PipelineError, match="no pipeline 'hog'"):
        load_pipeline("hog+smote")


@given(
    name=st.text(),
    number=st.floats(allow_nan=False, allow_infinity=False),
    count=st.integers(-(2**63), 2**63 - 1),
)
def test_any_text_and_number_survive_toml(name, number, count):
    pipeline = Pipeline(
        name=name,
        description=name,
        families=("hog",),
        members=(Member("svm", {"C": number, "degree": count, "shrinking": True}),),
    )
    assert pipeline_from_dict(tomllib.loads(pipeline.to_toml())) == pipeline


def test_a_pipeline_is_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_pipeline("lightgbm").folds = 3


def test_listing_pipelines_imports_no_library():
    code = (
        "import sys; from galfeat.pipeline import available_pipelines; available_pipelines();"
        "print({'sklearn', 'lightgbm', 'xgboost', 'numba'} & {*sys.modules})"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "set()"
