"""Suggestions while a text prompt is typed: what was used before, then known structures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt

__all__ = ["TextCompletion"]

_MOST = 40
_SHORTEST_PREFIX = 2


class TextCompletion:
    """Completes a line edit.

    history: returns texts used before. completions: names of structures for a prefix, from the
    terminologies (slow when they are large, so it is asked from two letters on).
    """

    def __init__(
        self,
        lineEdit: Any,
        history: Callable[[], Sequence[str]],
        completions: Callable[[str], Sequence[str]],
    ) -> None:
        self._lineEdit, self._history, self._completions = lineEdit, history, completions
        self._model = qt.QStringListModel()
        self._completer = qt.QCompleter()
        self._completer.setModel(self._model)
        self._completer.setCaseSensitivity(qt.Qt.CaseInsensitive)
        self._completer.setFilterMode(qt.Qt.MatchContains)
        lineEdit.setCompleter(self._completer)
        lineEdit.connect("textEdited(QString)", self._onEdited)

    def cleanup(self) -> None:
        """The line edit asks no more."""
        self._lineEdit.disconnect("textEdited(QString)", self._onEdited)

    def suggestions(self, text: str) -> list[str]:
        """What would be offered for a text."""
        prefix = " ".join(text.split()).lower()
        used = [known for known in self._history() if prefix in known.lower()]
        named = self._completions(prefix) if len(prefix) >= _SHORTEST_PREFIX else []
        return list(dict.fromkeys([*used, *named]))[:_MOST]

    def _onEdited(self, text: str) -> None:
        self._model.setStringList(self.suggestions(text))
