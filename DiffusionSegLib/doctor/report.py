"""Examines everything, one check after the other; none of them can end the report."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.places import user_data_folder, user_folder
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.privacy import discreet, discretion
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.errors import Cancelled, DiffusionSegError
from DiffusionSegLib.progress import Progress

__all__ = ["Report", "report"]

# Modules of this package, about how many seconds each takes, and the title while it runs.
_CHECKS = (
    ("versions", 0.1, "Versions"),
    ("worker_python", 2.5, "The worker's Python"),
    ("worker_test", 2.5, "Worker"),
    ("devices", 2.5, "Devices"),
    ("environment", 0.2, "The worker's own environment"),
    ("folders", 0.1, "Folders"),
    ("models", 0.5, "Models"),
    ("network", 0.1, "Settings in the environment"),
    ("samples", 20.0, "Sample images"),
)
_OF_A_RUN = frozenset({"worker_test", "samples"})
_INSTEAD_OF_A_RUN = "devices"  # else the worker tells them
ALL_WELL = "Everything works."
_NOT_TRIED = "(The worker and the sample images were not tried.)"
_SHALLOW = 2  # parts of a folder as general as /usr, in which everything lies


@dataclass(frozen=True)
class Report:
    """Fit to be shown to strangers: no name of a user, a computer, a patient or an image of the
    user's, no address, no token. complete: the worker and the samples were tried."""

    sections: tuple[Section, ...]
    complete: bool = True

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence each; of several about the same thing the first."""
        found: dict[str, str] = {}
        for section in self.sections:
            for problem in section.problems:
                found.setdefault(problem.about or problem.sentence, problem.sentence)
        return tuple(dict.fromkeys(found.values()))

    @property
    def works(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    @property
    def text(self) -> str:
        """For people, with a line end; ends with the problems, numbered, or ALL_WELL."""
        parts = []
        for section in self.sections:
            lines = [f"  {line}" for line in section.lines]
            parts.append("\n".join([section.title, *lines]))
        return "\n\n".join([*parts, self.verdict]) + "\n"

    @property
    def verdict(self) -> str:
        """The last lines of the text."""
        if self.works:
            return ALL_WELL if self.complete else f"{ALL_WELL} {_NOT_TRIED}"
        numbered = [f"  {number}. {one}" for number, one in enumerate(self.problems, start=1)]
        count = len(numbered)
        return "\n".join([f"{count} problem{'s' if count > 1 else ''}:", *numbered])

    def to_dict(self) -> dict[str, Any]:
        """For programs: works, problems, the lines and facts of each section by its name, and the
        text for those who show it to people."""
        sections = {
            section.name: {"lines": list(section.lines), **section.facts}
            for section in self.sections
        }
        return {
            "works": self.works,
            "complete": self.complete,
            "problems": list(self.problems),
            "sections": sections,
            "text": self.text,
        }


def report(
    command: Sequence[str] | None = None,
    run: bool = True,
    progress: Progress | None = None,
    variables: Mapping[str, str] | None = None,
) -> Report:
    """Takes half a minute; without ``run``, which starts no worker and outlines nothing, seconds.

    command: that starts the worker (None: this Python); variables: the environment that secrets
    are looked for in (None: this process's). torch is never imported in this process, only in its
    children. Call it from any one thread; raises nothing but Cancelled, when progress says so.
    """
    progress = progress or Progress.silent()
    if command is None:
        from DiffusionSegLib.worker.command import default_command

        command = default_command()
    examined = Examined(tuple(command), run, os.environ if variables is None else variables)
    sections, done = [], 0.0
    try:
        for name, share, title in _shares(run):
            part = progress.part(min(done, 1.0), min(done + share, 1.0), title)
            part.report(0.0)
            sections.append(replace(_checked(name, title, examined, part), name=name))
            done += share
        progress.report(1.0, "Done")
    finally:
        examined.close()
    return _made_discreet(sections, examined)


def _shares(run: bool) -> list[tuple[str, float, str]]:
    """The checks, with the part of the whole time that each takes."""
    idle = {_INSTEAD_OF_A_RUN} if run else _OF_A_RUN
    taken = [(name, 0.0 if name in idle else time, title) for name, time, title in _CHECKS]
    whole = sum(time for _, time, _ in taken)
    return [(name, time / whole, title) for name, time, title in taken]


def _checked(name: str, title: str, examined: Examined, progress: Progress) -> Section:
    """A check that fails is a line, and a problem."""
    try:
        section: Section = import_module(f"DiffusionSegLib.doctor.{name}").section(
            examined, progress
        )
    except Cancelled:
        raise
    except DiffusionSegError as error:
        return Section(title, (str(error),), (Problem(str(error)),))
    except ImportError as error:
        line = f"Not looked into: {_one_line(error)}."
        return Section(title, (line,), (Problem(_lacking(error), "packages"),))
    except Exception as error:  # noqa: BLE001  a boundary: one check must not end the report
        sentence = _sentence(title, error)
        return Section(title, (sentence,), (Problem(sentence),))
    return section


def _lacking(error: ImportError) -> str:
    """All packages that are not here are named at once."""
    from DiffusionSegLib.environments.packages import missing

    wanted = [package.requirement for package in missing()]
    if not wanted:
        return f"A Python package is broken here ({_one_line(error)}); install it again."
    names = ", ".join(re.split(r"[<>=!~; \[]", requirement)[0] for requirement in wanted)
    return (
        f"This Python lacks packages that DiffusionSeg needs: {names}. Install them: pip install "
        + " ".join(f'"{requirement}"' for requirement in wanted)
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _sentence(title: str, error: Exception) -> str:
    said = _one_line(error)
    if isinstance(error, OSError):
        return f"The check {title!r} could not be made: {said}; mend that and try again."
    return (
        f"The check {title!r} failed by a mistake in the program ({type(error).__name__}: {said}); "
        "please report it."
    )


def _made_discreet(sections: Sequence[Section], examined: Examined) -> Report:
    make = discretion(examined.variables, _places(examined))
    return Report(
        tuple(
            Section(
                section.title,
                tuple(make(line) for line in section.lines),
                tuple(Problem(make(one.sentence), one.about) for one in section.problems),
                discreet(section.facts, make),
                section.name,
            )
            for section in sections
        ),
        examined.run,
    )


def _places(examined: Examined) -> dict[str, Path]:
    """Folders by the words that stand for them; of other folders the last part alone is shown."""
    places = {"program": Path(__file__).resolve().parent.parent.parent}
    with suppress(RuntimeError):  # a user without a home
        places["user data folder"] = user_data_folder()
        if user_folder().parent != user_data_folder():
            places["models folder"] = user_folder()
    worker = Path(examined.probe.prefix) if examined.probe is not None else Path(sys.prefix)
    if len(worker.parts) > _SHALLOW:
        places["worker's Python"] = worker
    program = Path(examined.command[0]) if examined.command else Path()
    if examined.probe is None and len(program.parent.parts) > _SHALLOW:
        places["worker's folder"] = program.parent
    own = Path(sys.prefix)
    if own != worker and len(own.parts) > _SHALLOW:
        places["this Python"] = own
    return places
