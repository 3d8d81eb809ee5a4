"""The README promises nothing that is not there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from Testing.Project.source import ROOT

README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    """Every line of the shell blocks that calls the program, as words."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line for line in words if line[:1] == [program]]


def diffusionseg(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    code = "import sys; from DiffusionSegLib.cli.main import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_the_first_sentence_says_which_diffusion_is_meant() -> None:
    first = README.split("\n\n")[1]
    assert "generative diffusion models" in first
    assert "not diffusion MRI" in first
    assert "Not for clinical use" in README.split("\n\n")[2]


def test_the_two_commands_come_first() -> None:
    assert [line[:2] for line in commands("make")] == [["make", "demo"], ["make", "test"]]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z]+)(?=[ `])", README))))
def test_every_make_target_exists(target: str) -> None:
    if f"`make {target}" in README or ["make", target] in commands("make"):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize(
    "words", commands("diffusionseg"), ids=lambda words: " ".join(words[1:3]) or "alone"
)
def test_every_command_and_option_exists(words: list[str]) -> None:
    done = diffusionseg(words[1], "--help")
    assert done.returncode == 0, done.stderr
    told = done.stdout
    # A coordinate may begin with a minus too.
    for option in (word for word in words[2:] if re.match("--?[a-z]", word)):
        assert re.search(rf"(?<![\w-]){option}\b", told), f"{option} is not in the help"


def test_every_link_leads_to_a_file() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_table_of_methods_says_what_each_says_of_itself() -> None:
    from DiffusionSegLib.methods.registry import get_method, method_names

    table = README.partition("## Methods")[2].partition("## Models")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \| (\w+) \| (\w+) \|$", table, re.MULTILINE)
    told = {name: (set(prompts.split(", ")), *can) for name, prompts, *can in rows}
    descriptions = {name: get_method(name).description for name in method_names()}
    words = {True: "yes", False: "no"}
    assert told == {
        name: (set(one.prompts) or {"none"}, words[one.refines], words[one.trains])
        for name, one in descriptions.items()
    }


def test_the_exit_codes_are_those_of_the_program() -> None:
    from DiffusionSegLib.cli import exit_codes

    table = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert table == {value for name, value in vars(exit_codes).items() if name.isupper()}


@pytest.mark.slow
@pytest.mark.parametrize("program", blocks("python"), ids=["python"])
def test_the_python_example_runs(program: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "Resources" / "Samples", tmp_path / "Resources" / "Samples")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "hippocampus.seg.nrrd").stat().st_size > 0
