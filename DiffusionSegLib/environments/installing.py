"""pip in the environment: heard, watched, and its failures explained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.environments.deleting import free_bytes
from DiffusionSegLib.environments.isolated import CACHE, TEMPORARY, IsolatedEnvironment
from DiffusionSegLib.environments.pip_words import PipWords, failure, lacks_version
from DiffusionSegLib.environments.torch_builds import (
    PYPI,
    TorchBuild,
    find_build,
    index_address,
    pypi_serves,
    requirement,
)
from DiffusionSegLib.environments.watched import Ended, clean_environment, run_watched
from DiffusionSegLib.errors import InputError, OutputError
from DiffusionSegLib.progress import Progress

__all__ = ["Pip"]

_PLAIN = (
    "--disable-pip-version-check", "--no-input", "--no-color", "install", "--no-user",
    "--progress-bar", "off", "--no-warn-script-location", "--only-binary", ":all:",
)  # fmt: skip


@dataclass(frozen=True)
class Pip:
    """Of an environment. python_version: for sentences; wheels: a folder, and nothing else is
    asked."""

    environment: IsolatedEnvironment
    python_version: str
    wheels: Path | None = None

    def install_torch(self, build: TorchBuild, expected_bytes: int, progress: Progress) -> None:
        """That build, alone; where its index is out of reach, the one of PyPI if that will do.

        Raises InputError, OutputError, Cancelled.
        """
        address = "" if self.wheels is not None else index_address(build)
        wanted = "torch" if self.wheels is not None else requirement(build)
        # Only torch is asked of that index: the others would wait for it where it is out of reach.
        more = ["--extra-index-url", address] if address else []
        ended = self._run(["--no-deps", *more, wanted], expected_bytes, progress)
        if ended.code and address and pypi_serves(build) and lacks_version(ended.lines):
            ended = self._torch_of_pypi(build, progress)
        if ended.code and address and lacks_version(ended.lines):
            raise InputError(
                f"{wanted} for Python {self.python_version} is not to be had: {address} does not "
                "answer, or does not have it. Let the network's administrator allow that address, "
                "set DIFFUSIONSEG_TORCH_INDEX to a mirror of it, or install from an offline bundle."
            )
        self._check(ended, "torch")

    def _torch_of_pypi(self, build: TorchBuild, progress: Progress) -> Ended:
        """On Linux it is the large one, for CUDA."""
        other = find_build(PYPI)
        progress.report(0.0, "torch's own index does not have it; taking the build of PyPI")
        free = free_bytes(self.environment.folder)
        if free is not None and other.disk_bytes + other.download_bytes > free:
            wanted = shown_bytes(other.disk_bytes + other.download_bytes)
            raise OutputError(
                f"{index_address(build)} does not answer, and the torch of PyPI needs {wanted} of "
                f"the disk, of which {shown_bytes(free)} are free. Let the network's administrator "
                "allow that address, or free some space."
            )
        words = ["--no-deps", f"torch=={build.version}"]
        return self._run(words, other.download_bytes, progress)

    def install(
        self,
        requirements: Sequence[str],
        constraints: str,
        build: TorchBuild,
        expected_bytes: int,
        progress: Progress,
    ) -> None:
        """All of them at those exact versions, and what torch needs.

        Raises InputError, OutputError, Cancelled.
        """
        words = list(requirements)
        if self.wheels is None:
            file = self.environment.folder / "constraints.txt"
            file.write_text(constraints, "utf-8")
            words = ["-c", str(file), *words]
        ended = self._run(words, expected_bytes, progress)
        address = "" if self.wheels is not None else index_address(build)
        if ended.code and address and lacks_version(ended.lines):
            # A library of CUDA that only torch's index has.
            ended = self._run(["--extra-index-url", address, *words], expected_bytes, progress)
        self._check(ended, "the packages")

    def _check(self, ended: Ended, what: str) -> None:
        if ended.code:
            where = f"Python {self.python_version} ({self.environment.folder})"
            raise failure(ended.lines, what, where, self.wheels is not None)

    def _run(self, words: Sequence[str], expected_bytes: int, progress: Progress) -> Ended:
        source = [] if self.wheels is None else ["--no-index", "--find-links", str(self.wheels)]
        told = PipWords(expected_bytes)
        site = self.environment.site_packages
        before = _count(site)
        temporary = self.environment.folder / TEMPORARY

        def look() -> None:
            arrived, installed = _arrived(temporary), max(0, _count(site) - before)
            progress.report(told.fraction(arrived, installed), told.words(arrived, installed))

        return run_watched(
            (str(self.environment.python), "-I", "-X", "utf8"),
            ("-m", "pip", *_PLAIN, *source, *words),
            self._variables(temporary),
            told.hear,
            look,
        )

    def _variables(self, temporary: Path) -> dict[str, str]:
        """Downloads go to the disk of the environment: others may be small. pip's cache, which
        makes a stopped build go on, is there as well, unless the user chose one."""
        given = clean_environment()
        if self.wheels is not None:
            # Only that folder: not what the user's settings of pip name besides.
            given = {name: value for name, value in given.items() if not name.startswith("PIP_")}
            given["PIP_CONFIG_FILE"] = os.devnull
        temporary.mkdir(exist_ok=True)
        given |= {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
        if not {"PIP_CACHE_DIR", "PIP_NO_CACHE_DIR"} & set(given):
            given["PIP_CACHE_DIR"] = os.fspath(self.environment.folder / CACHE)
        return given


def _count(site: Path | None) -> int:
    return 0 if site is None else sum(1 for _ in site.glob("*.dist-info"))


def _arrived(temporary: Path) -> int:
    """Bytes of the download that runs: pip puts each into a folder, and keeps it until the end."""
    newest = (0, 0)
    with suppress(OSError):  # they come and go
        for path in temporary.glob("pip-*/*.whl"):
            told = path.stat()
            newest = max(newest, (told.st_mtime_ns, told.st_size))
    return newest[1]
