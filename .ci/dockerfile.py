"""Run the steps of a Dockerfile in a folder, without a container engine.

RUN, ENV, COPY, WORKDIR, USER and CMD take effect in a folder that serves as the root of the
image; ``/opt`` and ``/tmp`` refer to folders below it. Each stage starts from an empty folder or
from a finished stage. Files copied between stages lose the fractional seconds of their times, as
in image layers. Not run: the base image (``python`` is the given interpreter, on the system of
this machine) and apt-get, whose packages must be installed on this machine. Unsupported
instructions or patterns raise an error.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

# Variables pip may need to find packages; RUN sees no others of this machine.
_PIP_VARIABLES = re.compile(
    r"PIP_|SSL_|REQUESTS_|CURL_|HOME$|(HTTP|HTTPS|NO)_PROXY$", re.IGNORECASE
)
_SYSTEM = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Image:
    """The settings of a stage.

    Attributes
    ----------
    environment : dict of str to str
    folder : str
        Working directory.
    user : int or None
    command, health : tuple of str
        Commands of CMD and HEALTHCHECK.
    """

    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: int | None = None
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the arguments of each instruction."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name, rest.strip()


class Builder:
    """Runs the steps of a Dockerfile.

    Parameters
    ----------
    context : Path
        The folder of the Dockerfile.
    scratch : Path
        An empty folder.
    python : Path
        The interpreter that replaces the base image.
    """

    def __init__(self, context: Path, scratch: Path, python: Path) -> None:
        self.context, self.root = context, scratch / "root"
        self._finished = scratch / "stages"
        self._stages: dict[str, Image] = {}
        self._stage = ""
        self._bin = scratch / "bin"
        self._bin.mkdir(parents=True)
        wrapper = self._bin / "python"
        wrapper.write_text(f'#!/bin/sh\nexec {python} "$@"\n')
        wrapper.chmod(0o755)
        self.image = Image()

    def build(self) -> Image:
        """Run all steps and return the final stage."""
        for name, rest in instructions((self.context / "Dockerfile").read_text(encoding="utf-8")):
            if name == "EXPOSE":
                continue
            step = getattr(self, f"_{name.lower()}", None)
            if step is None:
                raise ValueError(f"unsupported instruction {name} {rest}")
            print(f"{name} {rest}", flush=True)
            step(rest)
        return self.image

    def localise(self, text: str) -> str:
        """Return a text with /opt and /tmp replaced by folders below the root folder.

        Paths are recognised only at the start of a word or after an equals sign or a colon.
        """
        return re.sub(r"(^|(?<=[\s=:\"']))/(?=(opt|tmp)\b)", f"{self.root}/", text)

    def _from(self, rest: str) -> None:
        if self._stage:
            self._finish_stage()
        parent, _, name = re.fullmatch(r"(\S+)( AS (\S+))?", rest).groups()  # type: ignore[union-attr]
        self._stage = name or "final"
        if parent in self._stages:
            self.image = self._stages[parent]
            _copy_as_layer(self._finished / parent, self.root)
            return
        if not re.fullmatch(r"python:3\.\d+-slim", parent):
            raise ValueError(f"unsupported base image {parent}")
        print(f"    replaced by Python {sys.version.split()[0]} on this machine")
        self.image = Image(environment={"PATH": f"{self._bin}:{_SYSTEM}"})
        (self.root / "tmp").mkdir(parents=True)

    def _finish_stage(self) -> None:
        self._stages[self._stage] = self.image
        self._finished.mkdir(exist_ok=True)
        self.root.rename(self._finished / self._stage)

    def _env(self, rest: str) -> None:
        inherited = self.image.environment
        given = dict(word.partition("=")[::2] for word in shlex.split(self.localise(rest)))
        for name, value in given.items():
            given[name] = re.sub(r"\$(\w+)", lambda match: inherited[match[1]], value)
        self.image = replace(self.image, environment={**inherited, **given})

    def _workdir(self, rest: str) -> None:
        self.image = replace(self.image, folder=rest)
        self._folder().mkdir(parents=True, exist_ok=True)

    def _folder(self) -> Path:
        return self.root / self.image.folder.lstrip("/")

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        destination = self._folder() / self.localise(target)
        if sources[0].startswith("--from="):
            stage = self._finished / sources[0].removeprefix("--from=")
            for source in sources[1:]:
                _copy_as_layer(stage / source.lstrip("/"), destination)
            return
        for source in sources:
            origin = self._in_context(source)
            if origin.is_dir():
                caches = shutil.ignore_patterns("__pycache__")
                shutil.copytree(origin, destination, ignore=caches)
            else:
                shutil.copy(origin, destination / origin.name)

    def _in_context(self, source: str) -> Path:
        """Return the path of a source that .dockerignore includes in the context."""
        rules = (self.context / ".dockerignore").read_text(encoding="utf-8").splitlines()
        rules = [rule for rule in rules if rule and not rule.startswith("#")]
        if rules[0] != "*" or rules[-1] != "**/__pycache__":
            raise ValueError(
                ".dockerignore must exclude everything, include names, and exclude **/__pycache__"
            )
        if f"!{source}" not in rules:
            raise ValueError(f".dockerignore excludes {source}")
        return self.context / source

    def _run(self, rest: str) -> None:
        if rest.startswith("apt-get"):
            self._check_packages(rest)
            return
        pip_variables = {
            name: value for name, value in os.environ.items() if _PIP_VARIABLES.match(name)
        }
        subprocess.run(
            ["/bin/sh", "-c", self.localise(rest)],
            cwd=self._folder(), env={**pip_variables, **self.image.environment}, check=True,
        )  # fmt: skip

    def _check_packages(self, rest: str) -> None:
        listed = re.search(r"apt-get install((?: [a-z0-9.+-]+)+)", rest)
        packages = [word for word in (listed[1] if listed else "").split() if word[0] != "-"]
        if shutil.which("dpkg-query") is None:
            print(f"    not checked on a system other than Debian: {' '.join(packages)}")
            return
        subprocess.run(["dpkg-query", "--show", *packages], check=True)

    def _user(self, rest: str) -> None:
        self.image = replace(self.image, user=int(rest.partition(":")[0]))

    def _healthcheck(self, rest: str) -> None:
        self.image = replace(self.image, health=self._arguments(rest.partition("CMD ")[2]))

    def _cmd(self, rest: str) -> None:
        self.image = replace(self.image, command=self._arguments(rest))

    def _arguments(self, rest: str) -> tuple[str, ...]:
        """Return the arguments of an instruction in exec form, which passes signals on."""
        return tuple(self.localise(word) for word in json.loads(rest))


def _copy_as_layer(source: Path, target: Path) -> None:
    """Copy a folder, truncating file times to whole seconds."""

    def copy(origin: str, copied: str) -> None:
        shutil.copy2(origin, copied, follow_symlinks=False)
        if not os.path.islink(copied):
            seconds = int(os.stat(copied).st_mtime)
            os.utime(copied, (seconds, seconds))

    shutil.copytree(source, target, symlinks=True, copy_function=copy)
