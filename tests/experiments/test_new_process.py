"""Work in a new process: its result, its errors, and its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from galfeat.errors import DataError, GalfeatError
from galfeat.experiments.new_process import StoredTable, run_in_new_process
from galfeat.features import measure_images

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"name": "the process", "advice": "try again"}


def own_number():
    return os.getpid()


def refuse():
    raise DataError("no; yes; maybe")


def end():
    os._exit(3)


def fail(error):
    return error


def test_the_result_comes_from_another_process(tmp_path):
    assert run_in_new_process(own_number, scratch=tmp_path, **SETTINGS) != os.getpid()


def test_an_exception_is_raised_and_one_that_is_a_result_is_returned(tmp_path):
    with pytest.raises(DataError, match="no; yes; maybe"):
        run_in_new_process(refuse, scratch=tmp_path, **SETTINGS)
    assert isinstance(
        run_in_new_process(fail, ValueError(), scratch=tmp_path, **SETTINGS), ValueError
    )


def test_an_end_without_a_result_is_an_error(tmp_path):
    with pytest.raises(GalfeatError, match="the process ended with exit code 3; try again"):
        run_in_new_process(end, scratch=tmp_path, **SETTINGS)


ORPHAN = """
import os, sys, time
from pathlib import Path
from galfeat.experiments.new_process import run_in_new_process

def work(file):
    Path(file).write_text(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    run_in_new_process(work, sys.argv[1], scratch=Path(sys.argv[1]).parent, name="", advice="")
"""


def test_a_process_ends_with_its_parent(tmp_path):
    script, file = tmp_path / "orphan.py", tmp_path / "child"
    script.write_text(ORPHAN)
    parent = subprocess.Popen(
        [sys.executable, script, file], env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    deadline = time.monotonic() + 120
    while not (file.exists() and file.read_text()) and time.monotonic() < deadline:
        assert parent.poll() is None
    child = int(file.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while is_running(child):
        assert time.monotonic() < deadline
    assert not is_running(child)


def is_running(number):
    try:
        return ") Z" not in Path(f"/proc/{number}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_stored_table_has_the_chosen_rows_and_columns(tmp_path, paint):
    images = [paint(40, noise=2.0, seed=seed) for seed in range(4)]
    table = measure_images(images, ("radial", "colour"))
    stored = StoredTable.of(table, tmp_path)
    np.testing.assert_array_equal(stored.load().values, table.values)
    rows, columns = np.array([3, 1]), np.array([2, 0, len(table.names) - 1])
    part = stored.part(rows, columns)
    np.testing.assert_array_equal(part.values, table.values[np.ix_(rows, columns)])
    assert part.names == tuple(table.names[column] for column in columns)
    np.testing.assert_array_equal(part.digests, table.digests[rows])
