"""Keys work while the module is shown and nothing is typed."""

from __future__ import annotations

from typing import Any


def shortcuts() -> dict[str, Any]:
    """The keys on Slicer's main window."""
    import qt
    import slicer

    found = slicer.util.mainWindow().findChildren(qt.QShortcut)
    return {shortcut.key.toString(): shortcut for shortcut in found}


def test_keys_are_there_only_while_the_module_is_shown(opened: Any) -> None:
    assert set(shortcuts()) == {"P", "Shift+P", "B", "Ctrl+Return"}
    opened.module.exit()
    assert shortcuts() == {}
    opened.module.enter()
    assert set(shortcuts()) == {"P", "Shift+P", "B", "Ctrl+Return"}


def test_keys_do_what_the_tool_tips_say(opened: Any) -> None:
    opened.ready()
    ui = opened.ui
    keys = {
        "P": ui.includeButton,
        "Shift+P": ui.excludeButton,
        "B": ui.boxButton,
    }
    for key, button in keys.items():
        assert f"({key})" in button.toolTip
        shortcuts()[key].activated.emit()
        opened.settle()
        assert button.checked, key
    assert "(Ctrl+Return)" in ui.segmentButton.toolTip
    shortcuts()["Ctrl+Return"].activated.emit()
    assert opened.page.outliner.isBusy
    shortcuts()["Ctrl+Return"].activated.emit()
    assert not opened.page.outliner.isBusy


def test_a_key_that_is_held_is_one_press(opened: Any) -> None:
    assert not any(one.autoRepeat for one in shortcuts().values())


def test_a_disabled_tool_does_not_follow_its_key(opened: Any) -> None:
    opened.ui.includeButton.setEnabled(False)
    shortcuts()["P"].activated.emit()
    assert opened.page.parameters.includePoints is None


def test_nothing_happens_while_something_is_typed(opened: Any, monkeypatch: Any) -> None:
    import qt

    opened.ready()
    edits = (opened.ui.workerEdit, opened.ui.seedSpinBox)
    for edit in edits:
        monkeypatch.setattr(qt.QApplication, "focusWidget", lambda edit=edit: edit)
        shortcuts()["B"].activated.emit()
        assert opened.page.parameters.box is None
    monkeypatch.setattr(qt.QApplication, "focusWidget", lambda: opened.ui.segmentButton)
    shortcuts()["B"].activated.emit()
    assert opened.page.parameters.box is not None
