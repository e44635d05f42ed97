"""The Dockerfile builder of .ci, and the health checks of the deployment files."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

DOCKERFILE = """
FROM python:3.13-slim AS base
# A comment.
ENV COLOUR=blue \\
    EMPTY="" \\
    PLACE=/opt/made:$PATH

FROM base AS build
WORKDIR /opt/source
COPY kept.txt ./
COPY folder folder
RUN mkdir /opt/made \\
 && python -c "open('/opt/made/file', 'w').write('$COLOUR')" \\
 && touch --date='2020-01-01 00:00:00.75' /opt/made/file

FROM base
COPY --from=build /opt/made /opt/made
EXPOSE 80
USER 7:7
HEALTHCHECK --interval=1s \\
    CMD ["cat", "/opt/made/file"]
CMD ["cat", "http://galaxies/opt", "/opt/made/file"]
"""


@pytest.fixture(scope="module")
def builder_class():
    """Return the class that runs the steps of a Dockerfile."""
    specification = importlib.util.spec_from_file_location("dockerfile", ROOT / ".ci/dockerfile.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["dockerfile"] = module  # dataclasses look up their module
    specification.loader.exec_module(module)
    yield module.Builder
    del sys.modules["dockerfile"]


@pytest.fixture
def context(tmp_path):
    """A folder to build from."""
    (tmp_path / "context" / "folder" / "__pycache__").mkdir(parents=True)
    for name in ("kept.txt", "folder/one.txt", "folder/__pycache__/one.pyc", "secret.txt"):
        (tmp_path / "context" / name).write_text(name)
    (tmp_path / "context" / ".dockerignore").write_text("*\n!kept.txt\n!folder\n**/__pycache__\n")
    (tmp_path / "context" / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path / "context"


def test_stages_contain_only_what_is_copied(builder_class, context, tmp_path):
    builder = builder_class(context, tmp_path / "scratch", Path(sys.executable))
    builder.build()
    made = builder.root / "opt/made/file"
    assert made.read_text() == "blue"
    assert os.stat(made).st_mtime_ns % 10**9 == 0  # as in a layer of an image
    assert {path.name for path in (builder.root / "opt").iterdir()} == {"made"}
    source = tmp_path / "scratch/stages/build/opt/source"
    found = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    assert found == {"kept.txt", "folder/one.txt"}


def test_paths_in_commands_and_settings_are_below_the_root(builder_class, context, tmp_path):
    builder = builder_class(context, tmp_path / "scratch", Path(sys.executable))
    image = builder.build()
    root = str(builder.root)
    assert image.command == ("cat", "http://galaxies/opt", f"{root}/opt/made/file")
    assert image.health == ("cat", f"{root}/opt/made/file")
    assert image.environment["PLACE"] == f"{root}/opt/made:{image.environment['PATH']}"
    assert (image.environment["EMPTY"], image.user) == ("", 7)


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ("COPY secret.txt ./", ValueError, "excludes secret.txt"),
        ("ONBUILD RUN true", ValueError, "unsupported instruction ONBUILD"),
        ("FROM ubuntu", ValueError, "unsupported base image ubuntu"),
        ("RUN false", subprocess.CalledProcessError, "false"),
    ],
)
def test_unsupported_or_failing_steps_raise(builder_class, context, tmp_path, line, error, message):
    (context / "Dockerfile").write_text(f"FROM python:3.13-slim\n{line}\n")
    with pytest.raises(error, match=message):
        builder_class(context, tmp_path / "scratch", Path(sys.executable)).build()


def test_health_checks_use_paths_of_the_application():
    from galfeat.web.openapi import description

    paths = re.findall(r"^  path: (\S+)$", (ROOT / "app.yaml").read_text(), re.MULTILINE)
    paths += re.findall(r"\+ '(/\w+)'", (ROOT / "Dockerfile").read_text())
    assert len(paths) == 3
    assert set(paths) <= set(description()["paths"])
