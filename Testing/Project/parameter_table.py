"""The table of all parameters in prompts.md, as the methods describe them.

python -m Testing.Project.parameter_table

prints it; test_readme.py holds that the document has every row.
"""

from __future__ import annotations

from collections.abc import Iterator

from DiffusionSegLib.methods.contract import ParameterSpec
from DiffusionSegLib.methods.registry import get_method, method_names

__all__ = ["rows"]


def rows() -> Iterator[str]:
    """One line for each parameter of each method."""
    for name in method_names():
        for one in get_method(name).description.parameters:
            yield (
                f"| `{name}` | `{one.name}` | {one.title} | {_shown(one.default)} | {_range(one)} "
                f"| {one.description} |"
            )


def _range(one: ParameterSpec) -> str:
    if one.choices:
        return ", ".join(one.choices)
    if one.minimum is None or one.maximum is None:
        return "true, false" if isinstance(one.default, bool) else "any"
    return f"{_shown(one.minimum)} to {_shown(one.maximum)}"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    print(
        "| method | `--set` | in the panel | default | range | meaning |\n|---|---|---|---|---|---|"
    )
    print("\n".join(rows()))
