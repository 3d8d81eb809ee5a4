"""Packages besides torch that are missing, broken or of another version."""

from __future__ import annotations

from collections.abc import Collection

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from DiffusionSegLib.environments.finding import Finding, Place
from DiffusionSegLib.environments.packages import Package, packages
from DiffusionSegLib.environments.probing import Probe

__all__ = ["package_findings", "satisfies"]


def package_findings(probe: Probe, extras: Collection[str], place: Place) -> list[Finding]:
    """Of all that the engine needs, and of the extras; those of extras do not block."""
    found = []
    for package in packages(extras):
        if package.module != "torch":
            finding = _of(package, probe, place)
            found += [finding] if finding is not None else []
    return found


def satisfies(specifier: SpecifierSet, version: str) -> bool:
    """Whether a version is in a range; one that is no version is not."""
    try:
        return specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def _of(package: Package, probe: Probe, place: Place) -> Finding | None:
    wanted = Requirement(package.requirement)
    version = probe.packages.get(canonicalize_name(wanted.name))
    blocks = not package.extra
    mend = "repair the environment" if probe.isolated else "install the packages"
    if version is None:
        sentence = f"The package {wanted.name} is not installed in {place.python}. {package.why}"
        words = f"{sentence} To have it, {mend}."
        return Finding("package-missing", words, place.install, blocks)
    if package.module == "numpy" and probe.numpy_problem:
        return Finding(
            "numpy-broken",
            f"numpy {version} in {place.python} does not work ({probe.numpy_problem}); {mend}.",
            place.install,
            True,
        )
    if package.module in probe.broken:
        return Finding(
            "package-broken",
            f"The package {wanted.name} {version} in {place.python} is installed only in part: its "
            f"files are gone; {mend}.",
            place.install,
            blocks,
        )
    if satisfies(wanted.specifier, version):
        return None
    return Finding(
        _direction(wanted.specifier, version),
        f"The package {wanted.name} in {place.python} is of version {version or '(none)'}, and "
        f"{wanted.specifier} is needed; {mend}.",
        place.install,
        blocks,
    )


def _direction(specifier: SpecifierSet, version: str) -> str:
    """Too new only where the range has an upper end below it."""
    try:
        found = Version(version)
    except InvalidVersion:
        return "package-too-old"
    upper = [one for one in specifier if one.operator in ("<", "<=", "==")]
    new = any(found >= Version(one.version.removesuffix(".*")) for one in upper)
    return "package-too-new" if new else "package-too-old"
