"""Properties of all commands."""

import configparser
import functools
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from galfeat.cli import main, options

ROOT = Path(__file__).resolve().parents[2]
DOCS = runpy.run_path(str(ROOT / "docs" / "_scripts" / "commands.py"))
COMMANDS = dict(DOCS["walk"](main, click.Context(main, info_name="galfeat")))
READ_DATA = ["extract", "fit", "evaluate", "compare", "classify", "data info", "data sample"]


def options_of(command):
    return [p for p in command.params if isinstance(p, click.Option)]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name):
    assert COMMANDS[name].help
    assert [p.name for p in options_of(COMMANDS[name]) if not p.help] == []


def test_the_site_documents_every_command():
    # sphinx-click documents each option of a command; `make docs` checks the page it makes.
    assert DOCS["documented"](DOCS["PAGE"].read_text("utf-8")) == COMMANDS


def test_a_built_page_without_a_command_or_an_option_is_found():
    shown = {
        name: " ".join([command.help, *(f"{p.opts[-1]} {p.help}" for p in options_of(command))])
        for name, command in COMMANDS.items()
    }
    page = " ".join(shown.values())
    assert DOCS["missing"](page) == []
    assert DOCS["missing"](page.replace("--rendering", "")) == ["galfeat data simulate --rendering"]
    assert "galfeat fit" in DOCS["missing"](page.replace(shown["galfeat fit"], ""))


@pytest.mark.parametrize("name", READ_DATA)
def test_label_and_jobs_are_on_every_command_that_reads_data(name):
    found = {p.name for p in options_of(COMMANDS[f"galfeat {name}"])}
    assert {"label", "images", "jobs"} <= found


@pytest.mark.parametrize("name", COMMANDS)
def test_shared_options_are_the_same_everywhere(name):
    @click.command()
    @options.label_option
    @options.images_option
    @options.jobs_option
    @options.seed_option
    def shared():
        pass

    expected = {p.name: (p.opts, p.help, p.type.to_info_dict()) for p in shared.params}
    for option in options_of(COMMANDS[name]):
        if option.name in expected:
            found = (option.opts, option.help, option.type.to_info_dict())
            assert found == expected[option.name]


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["data", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import sys; from galfeat.cli import main; "
        "main(sys.argv[1:], standalone_mode=False); "
        "print(*sorted({'numpy', 'sklearn', 'numba', 'h5py', 'PIL'} & set(sys.modules)))"
    )
    done = run_python("-c", code, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize("start", [["-m", "galfeat"], [str(ROOT / "cli.py")]])
def test_the_module_and_the_shim_run_the_command(start):
    done = run_python(*start, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: galfeat [OPTIONS]")


STARTS = {
    "python -m galfeat": ["-m", "galfeat"],
    "cli.py": [str(ROOT / "cli.py")],
    "galfeat": ["-c", "import sys; from {} import {}; sys.exit({}())"],
}


@pytest.mark.parametrize("start", STARTS)
def test_an_interrupt_during_imports_is_one_line(tmp_path, start):
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    name, target = config["options.entry_points"]["console_scripts"].strip().split(" = ")
    assert name == "galfeat"
    module, function = target.split(":")
    arguments = [part.format(module, function, function) for part in STARTS[start]]
    # Interrupt at the first import of a third-party module.
    (tmp_path / "click.py").write_text("import signal; signal.raise_signal(signal.SIGINT)")
    done = run_python(*arguments, "--help", path=[tmp_path, ROOT])
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "galfeat: interrupted, nothing half-written was left\n"


def test_an_interrupt_during_option_parsing_is_one_line(monkeypatch):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("galfeat.cli.importlib.import_module", interrupt)
    result = CliRunner().invoke(main, ["--help"])
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "galfeat: interrupted, nothing half-written was left\n"


def run_python(*arguments, path=(ROOT,)):
    restore = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))},
        preexec_fn=restore,  # background jobs of a shell inherit ignored interrupts
        capture_output=True,
        text=True,
        timeout=60,
    )
