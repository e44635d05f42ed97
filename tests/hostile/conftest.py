"""Run the command line on hostile input, with limits on memory and time."""

import os
import resource
import subprocess
import sys

import pytest

#: Address space of a process, which includes libraries and the stacks of threads, and run time.
MEMORY, SECONDS = 4 * 2**30, 60


@pytest.fixture
def run_limited(tmp_path):
    """Return a function that runs `galfeat` with arguments, in `tmp_path`.

    It returns the completed process, with its output as text, and fails the test if the process
    takes more than its time, or prints a traceback. A process beyond its memory gets
    MemoryError.
    """

    def run(*arguments, memory=MEMORY, seconds=SECONDS, env=None, python=(), **options):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

        process = subprocess.Popen(
            [sys.executable, *python, "-m", "galfeat", *map(str, arguments)],
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            text=True,
            errors="surrogateescape",
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            preexec_fn=limit,
            **options,
        )
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            pytest.fail(f"galfeat {arguments[0]} did not end within {seconds} s")
        assert "Traceback" not in errors, errors
        assert "unexpected" not in errors, errors
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    return run


@pytest.fixture
def one_line_error(run_limited):
    """Return a function that runs `galfeat` and returns its one-line error and exit code."""

    def run(*arguments, **options):
        done = run_limited(*arguments, **options)
        assert done.returncode != 0, done.stdout
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        return lines[0], done.returncode

    return run
