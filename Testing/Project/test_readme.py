"""The README promises nothing that is not there."""

import re
import shlex

import pytest

from Testing.Project.parameter_table import rows
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


def test_the_licences_are_those_of_the_models() -> None:
    from DiffusionSegLib.backbones.store import ModelStore

    table = README.partition("## Models and licences")[2].partition("## Remove")[0]
    for entry in ModelStore().list():
        row = next(line for line in table.splitlines() if re.search(_row_of(entry.id), line))
        words = [
            word for word in re.findall(r"[\w.+]+", entry.licence.name) if word != "CreativeML"
        ]
        assert all(word.lower() in row.lower() for word in words), row
        assert entry.licence.commercial or re.search("no commercial use|: ask", row), row


def test_the_sizes_are_those_of_the_cards() -> None:
    from DiffusionSegLib.backbones.store import ModelStore

    table = README.partition("**Public models**")[2].partition("```")[0]
    public = [entry for entry in ModelStore().list() if entry.needs.disk_bytes]
    assert public
    for entry in public:
        row = next(line for line in table.splitlines() if re.search(_row_of(entry.id), line))
        sizes = [float(one) for one in re.findall(r"\d\.\d+", row.split("|")[2])]
        wanted = [
            size / 1e9 for size in (entry.needs.disk_bytes, entry.needs.half_disk_bytes) if size
        ]
        assert sizes[0] == pytest.approx(wanted[0], rel=0.03), row
        assert len(sizes) == 1 or sizes[1] == pytest.approx(wanted[1], rel=0.03), row


def _row_of(model: str) -> str:
    return rf"^\| .*(`{model}`|`{model.partition('/')[2]}`)"


def test_the_keys_are_those_of_the_panel() -> None:
    page = (ROOT / "DiffusionSeg" / "DiffusionSegPanel" / "page.py").read_text("utf-8")
    keys = re.findall(r'^ +"([\w+]+)": self\.\w+(?:\.\w+)*\.\w+,$', page, re.MULTILINE)
    table = re.search(r"\| key, while the module is open.*?\n\n", README, re.DOTALL)
    assert table and keys
    assert re.findall(r"^\| `([\w+]+)` \|", table[0], re.MULTILINE) == keys


def test_it_can_be_read_in_ten_minutes() -> None:
    """Prose alone, at 240 words a minute; tables and commands are looked up, not read."""
    prose = re.sub(r"```.*?```|^\|.*$|^- .*doi.*$", "", README, flags=re.MULTILINE | re.DOTALL)
    assert len(prose.split()) < 2400


def test_the_dice_of_the_newcomers_table_stand_in_the_documents() -> None:
    table = README.partition("| you have |")[2].partition("\n\n")[0]
    shown = [one for row in table.splitlines() for one in re.findall(r"0\.\d\d", row)]
    assert len(shown) >= 10
    folder = ROOT / "Resources" / "Documentation"
    told = "".join(
        (folder / f"{name}.md").read_text("utf-8") for name in ("adzus", "cdal", "diffugts")
    )
    measured = {f"{float(one):.2f}" for one in re.findall(r"0\.\d{3}", told)}
    assert set(shown) <= measured


def test_the_download_of_the_environment_is_that_of_the_packages() -> None:
    from DiffusionSegLib.environments.packages import packages

    row = re.search(r"its download: without words, with words \| ([\d.]+), ([\d.]+) GB", README)
    assert row
    for shown, extras in zip(row.groups(), ((), ("text",)), strict=True):
        size = sum(one.download_bytes for one in packages(extras)) / 1e9
        assert float(shown) == pytest.approx(size, abs=0.05)


def test_the_table_of_parameters_is_that_of_the_methods() -> None:
    """`python -m Testing.Project.parameter_table` prints it."""
    prompts = (ROOT / "Resources" / "Documentation" / "prompts.md").read_text("utf-8")
    table = prompts.partition("## All parameters")[2].partition("```")[0]
    shown = [line for line in table.splitlines() if line.startswith("| `")]
    assert shown == list(rows())
