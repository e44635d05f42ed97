"""Listings of pipelines, features and versions, and progress bars."""

import configparser
import os
import pty
import subprocess
import sys
from pathlib import Path

from galfeat import __version__
from galfeat.features import columns
from galfeat.pipeline import available_pipelines, load_pipeline

ROOT = Path(__file__).resolve().parents[2]


def test_every_pipeline_is_listed_with_its_description(galfeat):
    lines = galfeat("pipelines").stdout.splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [
        [pipeline.name, pipeline.description] for pipeline in available_pipelines()
    ]


def test_a_printed_pipeline_round_trips(galfeat, tmp_path):
    for pipeline in available_pipelines():
        (tmp_path / "copy.toml").write_text(galfeat("pipelines", pipeline.name).stdout)
        assert load_pipeline(tmp_path / "copy.toml") == pipeline


def test_every_feature_is_listed_with_unit_and_meaning(galfeat):
    lines = galfeat("features").stdout.splitlines()
    for line, column in zip(lines, columns(), strict=True):
        name, _, rest = line.partition(" ")
        marks = "*" * (not column.invariant) + "+" * column.survey_bound
        assert name == column.name + marks
        assert rest.strip().startswith(column.unit)
        assert column.meaning in rest
        assert column.reference in rest


def test_version(galfeat):
    assert galfeat("--version").stdout == f"galfeat {__version__}\n"
    assert galfeat("--verbose", code=2).stderr.endswith("--verbose requires --version\n")


def test_verbose_version_lists_dependencies_and_locations(galfeat):
    shown = galfeat("--version", "--verbose").stdout
    assert f"python {sys.version.split()[0]}" in shown
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    required = config["options"]["install_requires"].split("\n")[1:]
    for name in (requirement.split()[0].rstrip(";") for requirement in required):
        assert f"\n{name} " in shown
    assert "\ncompiled kernels in " in shown
    assert f"trusted models in {os.environ['GALFEAT_HOME']}" in shown


def test_two_installs_of_xgboost_are_reported(galfeat, tmp_path, monkeypatch):
    for name in ["xgboost", "xgboost_cpu"]:
        folder = tmp_path / f"{name}-3.0.dist-info"
        folder.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 3.0\n"
        (folder / "METADATA").write_text(text)
    assert "pip uninstall" not in galfeat("--version", "--verbose").stdout
    monkeypatch.syspath_prepend(tmp_path)
    shown = galfeat("--version", "--verbose").stdout
    assert "pip uninstall -y xgboost xgboost-cpu && pip install xgboost-cpu" in shown


def test_progress_is_shown_only_on_a_terminal(galfeat, tmp_path):
    arguments = ["data", "simulate", "-n", "3", "-o", str(tmp_path / "three.h5"), "--jobs", "1"]
    assert "%" not in galfeat(*arguments).stderr
    terminal, side = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "galfeat", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=side,
        timeout=120,
    )
    os.close(side)
    drawn = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert done.returncode == 0
    assert "100%" in drawn
    assert b"%" not in done.stdout
