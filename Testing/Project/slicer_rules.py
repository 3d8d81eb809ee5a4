"""Rules for code that runs inside Slicer, in Qt 5.15 and in Qt 6: each says what breaks it.

Every rule takes a parsed file and yields `(line, words)` for each place that breaks it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

Finding = tuple[int, str]
Rule = Callable[[ast.Module], Iterator[Finding]]

QT = re.compile(r"^(qt\.Q\w+|ctk\.ctk\w+|slicer\.q(MRML|Slicer)\w+)$")

# Signals of Qt and Slicer widgets; PythonQt connects them by their signature in a string.
QT_SIGNALS = {
    "aboutToQuit",
    "activated",
    "buttonClicked",
    "checkedNodesChanged",
    "clicked",
    "contentsCollapsed",
    "currentIndexChanged",
    "currentNodeChanged",
    "currentNodeIDChanged",
    "currentPathChanged",
    "currentSegmentChanged",
    "currentSegmentIDChanged",
    "currentTextChanged",
    "customContextMenuRequested",
    "editingFinished",
    "itemSelectionChanged",
    "layoutChanged",
    "linkActivated",
    "moduleAboutToBeUnloaded",
    "mrmlSceneChanged",
    "nodeAdded",
    "nodeAddedByUser",
    "nodeActivated",
    "pressed",
    "released",
    "returnPressed",
    "selectionChanged",
    "sliderReleased",
    "startupCompleted",
    "stateChanged",
    "textChanged",
    "textEdited",
    "timeout",
    "toggled",
    "triggered",
    "valueChanged",
    "valueIsChanging",
    "valuesChanged",
}

# In Qt 5 and gone in Qt 6, or the other way round: the name, and what to write instead.
OTHER_QT = {
    "AdjustToMinimumContentsLength": "AdjustToMinimumContentsLengthWithIcon",
    "MidButton": "MiddleButton",
    "QDesktopWidget": "QGuiApplication and its screens",
    "QDirModel": "QFileSystemModel",
    "QMatrix": "QTransform",
    "QRegExp": "QRegularExpression",
    "QRegExpValidator": "QRegularExpressionValidator",
    "QTextCodec": "Python's own text functions",
    "SystemLocaleShortDate": "QLocale",
    "checkStateChanged": "stateChanged(int), as it is new in Qt 6.7",
    "colorScheme": "the palette, as it is new in Qt 6.5",
    "exec_": "show() and a signal; nothing waits",
    "globalPosition": "QCursor.pos(), as it is new in Qt 6",
    "horizontalAdvance": "elidedText or a layout",
    "margin": "contentsMargins",
    "print_": "something else, as PythonQt does not have it",
    "raise_": "getattr(widget, 'raise')(), as PythonQt does not have it",
    "setMargin": "setContentsMargins",
    "setResizeMode": "setSectionResizeMode",
    "setScreen": "something else, as PythonQt does not have it",
    "setTabStopWidth": "setTabStopDistance",
    "toMarkdown": "the property markdown, as PythonQt does not have it",
    "topLevelWidget": "window()",
}
OTHER_QT_SIGNATURES = {
    "activated(QString)": "textActivated(QString)",
    "buttonClicked(int)": "idClicked(int)",
    "checkStateChanged(Qt::CheckState)": "stateChanged(int)",
    "currentIndexChanged(QString)": "currentTextChanged(QString)",
    "currentIndexChanged(const QString&)": "currentTextChanged(QString)",
    "highlighted(QString)": "textHighlighted(QString)",
    "mapped(int)": "mappedInt(int)",
    "valueChanged(QString)": "textChanged(QString)",
}
STOPWATCH = {"start", "restart", "elapsed"}  # of QTime, which only tells the time in Qt 6

WAITING = {
    "exec": "a dialog that waits",
    "exec_": "a dialog that waits",
    "processEvents": "an event loop inside another",
    "waitForFinished": "waiting freezes the window",
    "waitForStarted": "waiting freezes the window",
}
WAITING_NAMES = {
    "qt.QEventLoop", "qt.QFileDialog", "qt.QInputDialog", "qt.QMessageBox", "qt.QProgressDialog",
    "qt.QErrorMessage", "qt.QColorDialog", "qt.QFontDialog", "ctk.ctkMessageBox", "time.sleep",
    "slicer.util.confirmOkCancelDisplay", "slicer.util.confirmRetryCloseDisplay",
    "slicer.util.confirmYesNoDisplay", "slicer.util.createProgressDialog",
    "slicer.util.delayDisplay", "slicer.util.errorDisplay", "slicer.util.infoDisplay",
    "slicer.util.messageBox", "slicer.util.tryWithErrorDisplay", "slicer.util.warningDisplay",
}  # fmt: skip

SHOWN_PROPERTIES = {"placeholderText", "statusTip", "text", "title", "toolTip", "windowTitle"}
SHOWN_ARGUMENTS = {
    "addButton", "addRow", "addSection", "setPlaceholderText", "setStatusTip", "setText",
    "setTitle", "setToolTip", "setWindowTitle", "showMessage", "showStatusMessage",
}  # fmt: skip
SHOWN_CLASSES = {"QAction", "QCheckBox", "QGroupBox", "QLabel", "QPushButton", "QRadioButton"}


def dotted(node: ast.AST) -> str:
    """`qt.Qt.AlignLeft` of that expression; empty when it is not a plain chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def no_keywords_for_qt(tree: ast.Module) -> Iterator[Finding]:
    """PythonQt takes no named arguments when it makes an object."""
    for call in calls(tree):
        if QT.match(dotted(call.func)) and call.keywords:
            yield call.lineno, f"{dotted(call.func)}(name=...)"


def no_pyside_names(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and dotted(node) in (
            "qt.Signal", "qt.Slot", "qt.Property", "qt.pyqtSignal", "qt.pyqtSlot",
        ):  # fmt: skip
            yield node.lineno, f"{dotted(node)}: use DiffusionSegPanel.plain_signal"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            for name in names:
                if re.match(r"(PySide|PyQt|shiboken)", name):
                    yield node.lineno, name


def connections_by_signature(tree: ast.Module) -> Iterator[Finding]:
    """`button.connect("clicked()", f)`, not `button.clicked.connect(f)`."""
    for call in calls(tree):
        link = call.func
        if (
            isinstance(link, ast.Attribute)
            and link.attr in ("connect", "disconnect", "emit")
            and isinstance(link.value, ast.Attribute)
            and link.value.attr in QT_SIGNALS
        ):
            yield call.lineno, f".{link.value.attr}.{link.attr}("


def plain_enumerations(tree: ast.Module) -> Iterator[Finding]:
    """`qt.Qt.AlignLeft`: PythonQt does not know `qt.Qt.AlignmentFlag.AlignLeft`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match(r"qt\.Q\w*\.[A-Z]\w*\.[A-Z]", dotted(node)):
            yield node.lineno, dotted(node)


def both_qts(tree: ast.Module) -> Iterator[Finding]:
    """Only what Qt 5.15 and Qt 6 share."""
    clocks = _stopwatches(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if node.attr in OTHER_QT:
                yield node.lineno, f"{node.attr}: write {OTHER_QT[node.attr]}"
            if node.attr in STOPWATCH and dotted(node.value) in clocks:
                yield node.lineno, f"QTime.{node.attr}: use QElapsedTimer"
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            plain = node.value.replace(" ", "")
            if better := OTHER_QT_SIGNATURES.get(plain):
                yield node.lineno, f"{node.value}: write {better}"


def _stopwatches(tree: ast.Module) -> set[str]:
    """Names that hold a QTime."""
    return {
        dotted(target)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if dotted(node.value.func) == "qt.QTime"
        for target in node.targets
    } | {"qt.QTime"}


def nothing_waits(tree: ast.Module) -> Iterator[Finding]:
    """No modal dialog, no nested event loop, no sleep: the window stays alive."""
    for call in calls(tree):
        if isinstance(call.func, ast.Attribute) and call.func.attr in WAITING:
            yield call.lineno, f"{call.func.attr}(): {WAITING[call.func.attr]}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and dotted(node) in WAITING_NAMES:
            yield node.lineno, dotted(node)


def nothing_is_printed(tree: ast.Module) -> Iterator[Finding]:
    for call in calls(tree):
        if dotted(call.func) in ("print", "sys.stdout.write", "sys.stderr.write"):
            yield call.lineno, f"{dotted(call.func)}: use logging"


def texts_can_be_translated(tree: ast.Module) -> Iterator[Finding]:
    """What a user reads goes through `_()`, which takes a constant with {names}."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr in SHOWN_PROPERTIES:
                    yield from _raw_text(node.value)
        if isinstance(node, ast.Call):
            name = dotted(node.func).rpartition(".")[2] or getattr(node.func, "attr", "")
            if name in SHOWN_ARGUMENTS or name in SHOWN_CLASSES:
                for argument in node.args:
                    yield from _raw_text(argument)
            if name == "_" and not isinstance(node.args[0], ast.Constant):
                yield node.lineno, "_() of something put together: _('... {name}').format(...)"


def _raw_text(value: ast.expr) -> Iterator[Finding]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        words = re.sub(r"<[^>]*>|\bDiffusionSeg\b", "", value.value)  # a name stays as it is
        if re.search(r"[A-Za-z]{2}", words):
            yield value.lineno, f"{value.value!r} without _()"
    elif isinstance(value, ast.JoinedStr):
        for part in value.values:
            if isinstance(part, ast.Constant):
                yield from _raw_text(part)
    elif isinstance(value, ast.BinOp):
        yield from _raw_text(value.left)
        yield from _raw_text(value.right)
    elif isinstance(value, ast.IfExp):
        yield from _raw_text(value.body)
        yield from _raw_text(value.orelse)


RULES: tuple[Rule, ...] = (
    no_keywords_for_qt,
    no_pyside_names,
    connections_by_signature,
    plain_enumerations,
    both_qts,
    nothing_waits,
    nothing_is_printed,
    texts_can_be_translated,
)
