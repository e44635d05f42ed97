"""Errors are reported in one line on stderr with a documented exit code."""

import errno
import os
import signal
import warnings

import click
import pytest

from galfeat import errors
from galfeat.cli.terminal.failures import one_line_failures

CASES = [
    (errors.DataError("no labels here"), 4, "galfeat: no labels here\n"),
    (errors.ImageError("two\nlines"), 4, "galfeat: two lines\n"),
    (errors.PipelineError("r"), 5, "galfeat: r\n"),
    (errors.ModelError("m"), 6, "galfeat: m\n"),
    (errors.OutputError("o"), 7, "galfeat: o\n"),
    (errors.FetchError("f"), 8, "galfeat: f\n"),
    (errors.MissingDependencyError("d"), 9, "galfeat: d\n"),
    (KeyboardInterrupt(), 130, "galfeat: interrupted, nothing half-written was left\n"),
]


def fail_with(error, *, debug=False):
    with pytest.raises(click.exceptions.Exit) as caught, one_line_failures(debug=debug):
        raise error
    return caught.value.exit_code


@pytest.mark.parametrize(("error", "code", "line"), CASES)
def test_an_error_is_one_line_with_its_exit_code(capsys, error, code, line):
    assert fail_with(error) == code
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_an_output_error(capsys, number):
    assert fail_with(OSError(number, os.strerror(number), "model/model.joblib")) == 7
    assert capsys.readouterr().err.count("\n") == 1


def test_an_unexpected_error_names_its_type_and_the_debug_option(capsys):
    assert fail_with(ZeroDivisionError("division by zero")) == 1
    line = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in line
    assert "--debug" in line
    assert line.count("\n") == 1


def test_debug_shows_the_traceback_and_keeps_line_and_exit_code(capsys):
    assert fail_with(errors.ModelError("damaged"), debug=True) == 6
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback (most recent call last)")
    assert shown.endswith("galfeat: damaged\n")


def test_usage_errors_are_left_to_click():
    with pytest.raises(click.UsageError), one_line_failures(debug=False):
        raise click.UsageError("no such option")


def test_sigterm_is_handled_like_an_interrupt_and_restored(capsys):
    previous = signal.getsignal(signal.SIGTERM)
    with pytest.raises(click.exceptions.Exit) as caught, one_line_failures(debug=False):
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.exit_code == 130
    assert "interrupted" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is previous


def test_galfeat_warnings_are_one_line(capsys):
    with one_line_failures(debug=False):
        warnings.warn("3 rows\nare blank", errors.GalfeatWarning, stacklevel=1)
    assert capsys.readouterr() == ("", "galfeat: warning: 3 rows are blank\n")


def test_every_error_class_has_a_documented_exit_code(exit_codes):
    classes = [errors.GalfeatError, *errors.GalfeatError.__subclasses__()]
    assert {cls.exit_code for cls in classes} | {0, 2, 3, 130} == set(exit_codes)
