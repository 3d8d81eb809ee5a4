import pytest

from DiffusionSegLib import methods
from DiffusionSegLib.errors import UnknownNameError
from DiffusionSegLib.methods.registry import get_method, method_names

ADDED = """
from DiffusionSegLib.methods.contract import MethodDescription
class Added:
    description = MethodDescription("added", "", "", "", frozenset(), (), False, False)
METHOD = Added()
"""


def test_cdal_is_found_in_any_case():
    assert "cdal" in method_names()
    assert get_method("cDAL").description.name == "cdal"


def test_a_dropped_in_package_is_a_method_and_a_module_is_not(tmp_path, monkeypatch):
    (tmp_path / "added").mkdir()
    (tmp_path / "added" / "__init__.py").write_text(ADDED)
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "__init__.py").write_text("")
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    assert "added" in method_names()
    assert "helper" not in method_names()
    assert "unfinished" not in method_names()
    assert "contract" not in method_names()
    assert get_method("added").description.name == "added"


def test_wrong_names_suggest_the_nearest():
    with pytest.raises(UnknownNameError, match=r"no method 'cadl'\. Did you mean 'cdal'\?"):
        get_method("cadl")
    with pytest.raises(UnknownNameError, match=r"Available: .*cdal"):
        get_method("zzz")


def test_names_describe_themselves():
    for name in method_names():
        assert get_method(name).description.name == name
