"""What the project's own Python files say, read without importing them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "DiffusionSegLib"


@dataclass(frozen=True)
class Import:
    """One imported module: its full dotted name, and where and when it is imported."""

    module: str
    line: int
    at_module_scope: bool  # False inside a function and under TYPE_CHECKING


def python_files(*folders: str) -> list[Path]:
    """Every Python file below these folders of the checkout."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def package_files() -> set[str]:
    """Every file of the package, data included, as a path from the checkout."""
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path.relative_to(ROOT).as_posix() for path in files}


def module_name(path: Path) -> str:
    """`DiffusionSegLib/io/raster.py` -> `DiffusionSegLib.io.raster`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(text: str, module: str, is_package: bool = False) -> list[Import]:
    """Every import of a module's source, with relative ones made absolute.

    `from a import b` counts as `a.b`, since b may be a module.
    """
    return list(_imports(ast.parse(text), module, is_package, at_module_scope=True))


def _imports(
    node: ast.AST, module: str, is_package: bool, at_module_scope: bool
) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, at_module_scope)
        elif isinstance(child, ast.ImportFrom):
            base = _absolute(child, module, is_package)
            for alias in child.names:
                yield Import(f"{base}.{alias.name}", child.lineno, at_module_scope)
        else:
            runs_on_import = at_module_scope and not _is_deferred(child)
            yield from _imports(child, module, is_package, runs_on_import)


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".")
    if not is_package:
        package = package[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def _is_deferred(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return True
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
