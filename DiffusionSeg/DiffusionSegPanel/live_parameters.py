"""Parameters that answer at once, beside the result: a change outlines the same marks again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from DiffusionSegPanel.catalogue_view import ParameterForm
from DiffusionSegPanel.choice import Choice
from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["LiveParameters"]


class LiveParameters:
    """Keeps the outline that is shown in step with the parameters whose ParameterSpec is live.

    placeholder: where their sliders go. outliner, result: the page's Outliner and ResultSection.
    volumes: returns the volume nodes that Segment would outline. Only the live values of what was
    asked are replaced, so that a change costs no other pass of the network. One answer is awaited
    at a time, of whatever kind, and the latest value is asked for next. Signal: changed(name,
    value).
    """

    def __init__(
        self, placeholder: Any, outliner: Any, result: Any, volumes: Callable[[], list[Any]]
    ) -> None:
        self.changed = Signal()
        self._outliner, self._result, self._volumes = outliner, result, volumes
        self._choice = Choice(None, None)
        self._values: dict[str, Any] = {}  # as they are chosen now
        self._asked: dict[str, Any] | None = None
        self._isAsking = False
        self.form = ParameterForm(placeholder)
        self.form.changed.connect(self.changed.emit)
        self._connections = Connections()
        self._connections.listen(outliner.started, self._onStarted)
        self._connections.listen(result.offered, self._follow)

    def cleanup(self) -> None:
        """Nothing is asked any more."""
        self._connections.drop()
        self.form.clear()

    def update(self, choice: Choice, parameterNode: Any) -> None:
        """Show the live parameters, and ask again when one of them changed under an outline."""
        self._choice = choice
        saved = choice.parameters(parameterNode) if choice.method and parameterNode else {}
        self._values = {spec.name: saved.get(spec.name, spec.default) for spec in choice.live}
        self.form.update(choice.live, self._values)
        self._follow()

    def _follow(self) -> None:
        answer = self._result.answer
        isComing = self._outliner.isBusy or self._result.preparation.isUnderWay
        if isComing or answer is None or not self._isOfChoice(answer):
            return
        # What failed or was stopped is not asked for again until it changes.
        if self._values in (_liveValues(answer.setup, self._choice.live), self._asked):
            return
        volumes = self._volumes()
        if not volumes or volumes[0].GetID() != answer.volumeNodeId:
            return
        self._asked = self._values
        parameters = {**answer.setup.parameters, **self._values}
        self._isAsking = True
        try:
            setup = replace(answer.setup, parameters=parameters)
            self._outliner.proposeAgain(volumes, setup, answer.prompt)
        finally:
            self._isAsking = False

    def _isOfChoice(self, answer: Any) -> bool:
        """Whether the outline came from the method and the model that are chosen."""
        choice, setup = self._choice, answer.setup
        model = choice.model.name if choice.model else None
        isSame = choice.method is not None and setup.method == choice.method.name
        return answer.kind != "refine" and isSame and setup.model in (None, model)

    def _onStarted(self, _kind: str) -> None:
        if not self._isAsking:
            self._asked = None


def _liveValues(setup: Any, specs: tuple[Any, ...]) -> dict[str, Any]:
    """What was asked with, defaults included."""
    return {spec.name: setup.parameters.get(spec.name, spec.default) for spec in specs}
