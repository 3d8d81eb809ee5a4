"""Sizes and marks that keep every file readable in one sitting."""

import ast
import re

from Testing.Project.source import PACKAGE, ROOT, python_files

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
LONGEST_TEST_FILE = 600
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b|NotImplementedError\(\s*\)")
LARGEST_FILE_BYTES = 20_000_000  # the weights of the bundled diffusion model


def long_functions(text: str, limit: int = LONGEST_FUNCTION) -> list[str]:
    """`name (lines)` of every function above the limit."""
    nodes = ast.walk(ast.parse(text))
    functions = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    sizes = [(f.name, (f.end_lineno or f.lineno) - f.lineno + 1) for f in functions]
    return [f"{name} ({size} lines)" for name, size in sizes if size > limit]


def test_a_long_function_is_seen() -> None:
    body = "\n".join("    x = 1" for _ in range(LONGEST_FUNCTION))
    assert long_functions(f"def f():\n{body}\n")
    assert not long_functions("def f():\n    x = 1\n")


def test_files_are_short() -> None:
    limits = {"DiffusionSegLib": LONGEST_FILE, "DiffusionSeg": LONGEST_FILE}
    limits["Testing"] = LONGEST_TEST_FILE
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for folder, limit in limits.items()
        for path in python_files(folder)
        if (lines := path.read_text("utf-8").count("\n")) > limit
    ]
    assert long == []


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {function}"
        for path in python_files("DiffusionSegLib", "DiffusionSeg")
        for function in long_functions(path.read_text("utf-8"))
    ]
    assert long == []


def test_nothing_is_left_half_done() -> None:
    left = [
        str(path.relative_to(ROOT))
        for path in python_files("DiffusionSegLib", "DiffusionSeg")
        if UNFINISHED.search(path.read_text("utf-8"))
    ]
    assert left == []


def test_every_package_folder_can_be_imported() -> None:
    """A folder without __init__.py works from source and is lost from the wheel."""
    missing = {
        str(path.parent.relative_to(ROOT))
        for path in python_files("DiffusionSegLib")
        if not (path.parent / "__init__.py").exists()
    }
    assert missing == set()


def test_the_repository_stays_small_enough_to_clone() -> None:
    folders = [PACKAGE, ROOT / "Resources", ROOT / "Testing"]
    large = [
        str(path.relative_to(ROOT))
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size > LARGEST_FILE_BYTES
    ]
    assert large == []
