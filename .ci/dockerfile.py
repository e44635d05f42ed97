"""Follow a Dockerfile in a folder, for want of a container engine.

RUN, ENV, COPY, WORKDIR, USER and CMD do what they say, in a folder that stands for the image's
root: ``/opt`` and ``/tmp`` in them mean folders below it. Each stage starts from an empty one or
from a finished stage, and what goes from one to the next loses the fractions of seconds in its
files' times, as it does in layers of an image. Not followed: the base image (``python`` is the
one that is given, and the system is the machine's) and apt-get, whose packages have to be on the
machine. An instruction or a pattern that is not understood is an error.
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

# What pip may need to find packages is the machine's business, and all that RUN sees of it.
_OF_PIP = re.compile(r"PIP_|SSL_|REQUESTS_|CURL_|HOME$|(HTTP|HTTPS|NO)_PROXY$", re.IGNORECASE)
_SYSTEM = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Image:
    """What a stage has come to.

    Attributes
    ----------
    environment : dict of str to str
    folder : str
        In which commands run.
    user : int or None
    command, health : tuple of str
        Of CMD and HEALTHCHECK.
    """

    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: int | None = None
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the rest of every instruction."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name, rest.strip()


class Follower:
    """Follows a Dockerfile.

    Parameters
    ----------
    context : Path
        The folder of the Dockerfile.
    scratch : Path
        An empty folder.
    python : Path
        The interpreter that is in the base image's place.
    """

    def __init__(self, context: Path, scratch: Path, python: Path) -> None:
        self.context, self.root = context, scratch / "root"
        self._finished = scratch / "stages"
        self._stages: dict[str, Image] = {}
        self._stage = ""
        self._bin = scratch / "bin"
        self._bin.mkdir(parents=True)
        named = self._bin / "python"
        named.write_text(f'#!/bin/sh\nexec {python} "$@"\n')
        named.chmod(0o755)
        self.image = Image()

    def follow(self) -> Image:
        """Do what the Dockerfile says and return what it comes to."""
        for name, rest in instructions((self.context / "Dockerfile").read_text(encoding="utf-8")):
            if name == "EXPOSE":
                continue
            step = getattr(self, f"_{name.lower()}", None)
            if step is None:
                raise ValueError(f"no way to follow {name} {rest}")
            print(f"{name} {rest}", flush=True)
            step(rest)
        return self.image

    def here(self, text: str) -> str:
        """Return a text with the image's folders /opt and /tmp below the folder that stands for /.

        A path is one only at the beginning of a word or after an equals sign or a colon.
        """
        return re.sub(r"(^|(?<=[\s=:\"']))/(?=(opt|tmp)\b)", f"{self.root}/", text)

    def _from(self, rest: str) -> None:
        if self._stage:
            self._finish_stage()
        parent, _, name = re.fullmatch(r"(\S+)( AS (\S+))?", rest).groups()  # type: ignore[union-attr]
        self._stage = name or "the last"
        if parent in self._stages:
            self.image = self._stages[parent]
            _copy_as_layer(self._finished / parent, self.root)
            return
        if not re.fullmatch(r"python:3\.\d+-slim", parent):
            raise ValueError(f"no way to stand in for {parent}")
        print(f"    instead of it: Python {sys.version.split()[0]} on this machine")
        self.image = Image(environment={"PATH": f"{self._bin}:{_SYSTEM}"})
        (self.root / "tmp").mkdir(parents=True)

    def _finish_stage(self) -> None:
        self._stages[self._stage] = self.image
        self._finished.mkdir(exist_ok=True)
        self.root.rename(self._finished / self._stage)

    def _env(self, rest: str) -> None:
        before = self.image.environment
        given = dict(word.partition("=")[::2] for word in shlex.split(self.here(rest)))
        for name, value in given.items():
            given[name] = re.sub(r"\$(\w+)", lambda found: before[found[1]], value)
        self.image = replace(self.image, environment={**before, **given})

    def _workdir(self, rest: str) -> None:
        self.image = replace(self.image, folder=rest)
        self._folder().mkdir(parents=True, exist_ok=True)

    def _folder(self) -> Path:
        return self.root / self.image.folder.lstrip("/")

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        destination = self._folder() / self.here(target)
        if sources[0].startswith("--from="):
            stage = self._finished / sources[0].removeprefix("--from=")
            for source in sources[1:]:
                _copy_as_layer(stage / source.lstrip("/"), destination)
            return
        for source in sources:
            origin = self._allowed(source)
            if origin.is_dir():
                caches = shutil.ignore_patterns("__pycache__")
                shutil.copytree(origin, destination, ignore=caches)
            else:
                shutil.copy(origin, destination / origin.name)

    def _allowed(self, source: str) -> Path:
        """Return what is in the context, which .dockerignore decides."""
        rules = (self.context / ".dockerignore").read_text(encoding="utf-8").splitlines()
        rules = [rule for rule in rules if rule and not rule.startswith("#")]
        if rules[0] != "*" or rules[-1] != "**/__pycache__":
            raise ValueError(".dockerignore has to leave out all, let in names, leave out caches")
        if f"!{source}" not in rules:
            raise ValueError(f".dockerignore leaves out {source}")
        return self.context / source

    def _run(self, rest: str) -> None:
        if rest.startswith("apt-get"):
            self._check_packages(rest)
            return
        of_pip = {name: value for name, value in os.environ.items() if _OF_PIP.match(name)}
        subprocess.run(
            ["/bin/sh", "-c", self.here(rest)],
            cwd=self._folder(), env={**of_pip, **self.image.environment}, check=True,
        )  # fmt: skip

    def _check_packages(self, rest: str) -> None:
        listed = re.search(r"apt-get install((?: [a-z0-9.+-]+)+)", rest)
        packages = [word for word in (listed[1] if listed else "").split() if word[0] != "-"]
        if shutil.which("dpkg-query") is None:
            print(f"    not checked, as this is not Debian: {' '.join(packages)}")
            return
        subprocess.run(["dpkg-query", "--show", *packages], check=True)

    def _user(self, rest: str) -> None:
        self.image = replace(self.image, user=int(rest.partition(":")[0]))

    def _healthcheck(self, rest: str) -> None:
        self.image = replace(self.image, health=self._words(rest.partition("CMD ")[2]))

    def _cmd(self, rest: str) -> None:
        self.image = replace(self.image, command=self._words(rest))

    def _words(self, rest: str) -> tuple[str, ...]:
        """Return the words of an instruction in the exec form, the one that passes signals on."""
        return tuple(self.here(word) for word in json.loads(rest))


def _copy_as_layer(source: Path, target: Path) -> None:
    """Copy a folder; times lose their fractions of a second."""

    def copy(one: str, other: str) -> None:
        shutil.copy2(one, other, follow_symlinks=False)
        if not os.path.islink(other):
            seconds = int(os.stat(other).st_mtime)
            os.utime(other, (seconds, seconds))

    shutil.copytree(source, target, symlinks=True, copy_function=copy)
