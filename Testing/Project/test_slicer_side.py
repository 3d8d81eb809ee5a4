"""The code that runs inside Slicer keeps to what PythonQt and both Qt versions can do."""

from __future__ import annotations

import ast
import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from Testing.Project import slicer_rules as rules
from Testing.Project.source import ROOT, imports, python_files

MODULE = ROOT / "DiffusionSeg"
FILES = python_files("DiffusionSeg")
UI_FILES = sorted(MODULE.glob("Resources/UI/*.ui"))
FACTS = json.loads((ROOT / "Testing/Harness/real_api.json").read_text("utf-8"))
LATER = {entry["name"] for entry in FACTS["later"]}
SLICER_MODULES = {"slicer", "qt", "ctk", "vtk"}
OWN_PACKAGES = {"DiffusionSegBridge", "DiffusionSegPanel", "DiffusionSegEffect", "DiffusionSegLib"}
# What a module may import when Python reads it; the rest when it is needed.
LIGHT = {"numpy", "vtk", "vtkmodules", "slicer", "qt", "ctk"} | set(sys.stdlib_module_names)


def relative(path: Path) -> str:
    return path.relative_to(MODULE).as_posix()


def findings(rule: rules.Rule, text: str) -> list[rules.Finding]:
    return list(rule(ast.parse(text)))


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: rules.Rule) -> None:
    broken = [
        f"{relative(path)}:{line}: {words}"
        for path in FILES
        for line, words in findings(rule, path.read_text("utf-8"))
    ]
    assert broken == []
    assert len(FILES) > 20


BAD = {
    rules.no_keywords_for_qt: [
        "qt.QPushButton(text='x')",
        "slicer.qMRMLNodeComboBox(parent=p)",
        "ctk.ctkSliderWidget(value=1)",
    ],
    rules.no_pyside_names: [
        "done = qt.Signal()",
        "from PySide6 import QtCore",
        "import PyQt5.QtCore",
    ],
    rules.connections_by_signature: [
        "button.clicked.connect(f)",
        "self.ui.box.currentIndexChanged.disconnect(f)",
    ],
    rules.plain_enumerations: [
        "x = qt.Qt.AlignmentFlag.AlignLeft",
        "qt.QSizePolicy.Policy.Expanding",
    ],
    rules.both_qts: [
        "layout.setMargin(0)",
        "menu.exec_()",
        "box.connect('currentIndexChanged(QString)', f)",
        "box.connect('currentIndexChanged( QString )', f)",
        "qt.QDesktopWidget()",
        "qt.QRegExp('x')",
        "clock = qt.QTime()\nclock.start()",
        "check.connect('checkStateChanged(Qt::CheckState)', f)",
    ],
    rules.nothing_waits: [
        "dialog.exec()",
        "slicer.app.processEvents()",
        "qt.QMessageBox.warning(None, 'a', 'b')",
        "slicer.util.errorDisplay('x')",
        "time.sleep(1)",
    ],
    rules.nothing_is_printed: ["print('x')", "sys.stdout.write('x')"],
    rules.texts_can_be_translated: [
        "label.text = 'Segment'",
        "label.text = f'Dice {x}'",
        "label.text = 'Run' if idle else 'Stop'",
        "button.setToolTip('Start' + name)",
        "qt.QLabel('Volume')",
        "label.text = _(f'Dice {x}')",
        "slicer.util.showStatusMessage('Done', 3000)",
    ],
}
GOOD = {
    rules.no_keywords_for_qt: ["qt.QPushButton('x')", "dict(a=1)", "_('x').format(a=1)"],
    rules.no_pyside_names: ["from DiffusionSegPanel.plain_signal import Signal"],
    rules.connections_by_signature: [
        "button.connect('clicked()', f)",
        "self.outliner.finished.connect(f)",
    ],
    rules.plain_enumerations: ["qt.Qt.AlignLeft", "qt.QSizePolicy.Expanding", "RegionMode.WHOLE"],
    rules.both_qts: [
        "layout.setContentsMargins(0, 0, 0, 0)",
        "clock = qt.QElapsedTimer()\nclock.start()",
        "timer.start()",
        "box.connect('currentIndexChanged(int)', f)",
    ],
    rules.nothing_waits: ["timer.start(30)", "menu.popup(p)"],
    rules.nothing_is_printed: ["logging.info('x')", "pprint(x)"],
    rules.texts_can_be_translated: [
        "label.text = _('Segment')",
        "label.text = _('Dice {x}').format(x=x)",
        "label.text = ''",
        "label.text = '%'",
        "parent.title = 'DiffusionSeg'",
        "label.text = str(error)",
        "name.kind = 'text'",
    ],
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_rule_sees_what_breaks_it_and_nothing_else(rule: rules.Rule) -> None:
    for text in BAD[rule]:
        assert findings(rule, text), text
    for text in GOOD[rule]:
        assert not findings(rule, text), text


# Imports


def wrong_imports(path: str, text: str) -> list[str]:
    """What this file may not import, and where."""
    module = path.removesuffix(".py").replace("/", ".")
    room = module.partition(".")[0]
    is_package = path.endswith("__init__.py")
    used = imports(text, module.removesuffix(".__init__"), is_package)
    found = []
    for one in used:
        top = one.module.partition(".")[0]
        if top == "torch":
            found.append(f"{path}:{one.line}: torch runs in the worker")
        if room == "DiffusionSegBridge" and top in {"qt", "ctk", *OWN_PACKAGES} - {
            "DiffusionSegBridge", "DiffusionSegLib",
        }:  # fmt: skip
            found.append(f"{path}:{one.line}: the bridge knows no {top}")
        if one.at_module_scope and room == "DiffusionSeg" and top in OWN_PACKAGES | {"numpy"}:
            found.append(f"{path}:{one.line}: {top} is read when Slicer starts")
        if one.at_module_scope and top not in LIGHT | OWN_PACKAGES | {"SegmentEditorEffects"}:
            found.append(f"{path}:{one.line}: {top} at module scope")
    return found


def test_imports_are_light_and_keep_to_their_rooms() -> None:
    found = [
        line for path in FILES for line in wrong_imports(relative(path), path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("DiffusionSegPanel/a.py", "def f():\n import torch.nn"),
        ("DiffusionSegBridge/a.py", "import qt"),
        ("DiffusionSegBridge/a.py", "def f():\n from DiffusionSegPanel import page"),
        ("DiffusionSeg.py", "from DiffusionSegLib.errors import DiffusionSegError"),
        ("DiffusionSegPanel/a.py", "import scipy"),
    ],
)
def test_a_wrong_import_is_seen(path: str, text: str) -> None:
    assert wrong_imports(path, text)


def test_a_right_import_is_not() -> None:
    assert not wrong_imports("DiffusionSegBridge/a.py", "import vtk, slicer, numpy\nimport json")
    assert not wrong_imports("DiffusionSegPanel/a.py", "def f():\n import SimpleITK")
    assert not wrong_imports("DiffusionSeg.py", "def f():\n import DiffusionSegPanel.page")


# Python 3.9, where DiffusionSeg.py says that Slicer is too old


def too_new_for_39(text: str) -> list[str]:
    """What stops Python 3.9 from importing this text."""
    try:
        tree = ast.parse(text, feature_version=(3, 9))
    except SyntaxError as error:
        return [f"{error.lineno}: {error.msg}"]
    postponed = any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body
    )
    found = []
    for node in ast.walk(tree):
        if not postponed and isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            found.append(f"{node.lineno}: a | b as a type")
        if isinstance(node, ast.keyword) and node.arg in ("slots", "kw_only", "strict"):
            found.append(f"{node.value.lineno}: {node.arg}= is new in Python 3.10")
        if isinstance(node, ast.ImportFrom) and node.module == "typing":
            new = {"Self", "TypeAlias", "ParamSpec", "override", "Never", "assert_never"}
            names = sorted(new & {alias.name for alias in node.names})
            found += [f"{node.lineno}: typing.{name}" for name in names]
    return found


def test_the_module_file_can_be_imported_by_python_39() -> None:
    assert too_new_for_39((MODULE / "DiffusionSeg.py").read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "match x:\n case 1: pass",
        "def f(x: int | None): pass",
        "@dataclass(slots=True)\nclass A: pass",
        "from typing import Self",
    ],
)
def test_newer_python_is_seen(text: str) -> None:
    assert too_new_for_39(text)


# Names that Slicer has


def unknown_names(text: str) -> list[str]:
    """`qt.X`, `ctk.X`, `slicer.X`, `slicer.util.x`, `slicer.app.x` that a running Slicer lacks."""
    known = {
        "qt": set(FACTS["qt"]) | {"Qt"},
        "ctk": {name.partition(".")[2] for name in FACTS["classes"] if name.startswith("ctk.")},
        "slicer.util": set(FACTS["modules"]["slicer.util"]),
        "slicer.app": set(FACTS["classes"]["slicer.qSlicerApplication"]["names"]) | QOBJECT,
    }
    found = []
    for node in ast.walk(ast.parse(text)):
        name = rules.dotted(node)
        owner, _, last = name.rpartition(".")
        if name in LATER:
            continue
        if owner in known and last not in known[owner]:
            found.append(name)
        if re.match(r"slicer\.(vtk|q)[A-Z]\w*$", name) and last not in FACTS["slicer"]:
            found.append(name)
    return found


QOBJECT = {"connect", "disconnect", "property", "setProperty"}


def test_every_name_of_slicer_and_qt_exists() -> None:
    found = [
        f"{relative(path)}: {name}"
        for path in FILES
        for name in unknown_names(path.read_text("utf-8"))
    ]
    assert sorted(set(found)) == [], "if Slicer has it since 5.8.1, add it to real_api.json: later"


@pytest.mark.parametrize(
    "text",
    [
        "qt.QThread()",
        "ctk.ctkSlider()",
        "slicer.vtkMRMLNoNode",
        "slicer.util.jump()",
        "slicer.app.mainWindow()",
        "slicer.qMRMLNoWidget",
    ],
)
def test_an_unknown_name_is_seen(text: str) -> None:
    assert unknown_names(text)


def test_known_names_are_not() -> None:
    text = "qt.QTimer; qt.Qt.AlignLeft; slicer.vtkMRMLVolumeNode; slicer.util.loadUI; slicer.app"
    assert not unknown_names(text)


# Forms


def wrong_in_form(root: ET.Element) -> Iterator[str]:
    """What Qt 5 cannot load, what a control lacks, and connections to nowhere."""
    for element in root.iter():
        text = (element.text or "").strip()
        if element.tag in ("enum", "set") and text.count("::") > max(1, text.count("|") + 1):
            yield f"{text}: Qt 5 knows only one ::"
        if text.endswith("AdjustToMinimumContentsLength"):
            yield f"{text}: not in Qt 6"
    for widget in root.iter("widget"):
        properties = {one.get("name") for one in widget.findall("property")}
        if widget.get("class") in CONTROLS and "toolTip" not in properties:
            yield f"{widget.get('name')}: no tool tip"


CONTROLS = {
    "QPushButton", "QToolButton", "QCheckBox", "QRadioButton", "QComboBox", "QLineEdit",
    "QSpinBox", "QDoubleSpinBox", "ctkSliderWidget", "qMRMLNodeComboBox", "qMRMLSliderWidget",
    "qMRMLSegmentSelectorWidget", "qSlicerSimpleMarkupsWidget",
}  # fmt: skip


def test_forms_load_in_both_qts_and_every_control_has_a_tool_tip() -> None:
    found = [
        f"{path.name}: {words}"
        for path in UI_FILES
        for words in wrong_in_form(ET.fromstring(path.read_text("utf-8")))
    ]
    assert found == []
    assert UI_FILES


def test_a_wrong_form_is_seen() -> None:
    bare = '<ui><widget class="QPushButton" name="b"/></ui>'
    scoped = "<ui><enum>Qt::AlignmentFlag::AlignLeft</enum></ui>"
    fine = "<ui><set>Qt::AlignLeft|Qt::AlignTop</set></ui>"
    assert list(wrong_in_form(ET.fromstring(bare))) == ["b: no tool tip"]
    assert list(wrong_in_form(ET.fromstring(scoped)))
    assert not list(wrong_in_form(ET.fromstring(fine)))


def test_every_package_of_the_slicer_side_can_be_imported() -> None:
    """Not so the effect's folder: Slicer loads the effect as a module of the folder's name, which
    would take the place of a package and hide its other files."""
    folders = {path.parent for path in FILES if path.parent != MODULE}
    packages = {relative(folder) for folder in folders if (folder / "__init__.py").exists()}
    assert {relative(folder) for folder in folders} - packages == {"DiffusionSegEffect"}
    assert len(list((MODULE / "DiffusionSegEffect").glob("*.py"))) == 1
