from collections import deque

import pytest

from DiffusionSegLib.errors import Cancelled, InputError
from DiffusionSegLib.worker.answers import WorkerProgress
from DiffusionSegLib.worker.ticket import Ticket

HALF = WorkerProgress(0.5, "Drawing", 1.0, 1.0)


class Owner:
    def __init__(self):
        self.due = deque()

    def call_later(self, callback):
        self.due.append(callback)

    def wait_for(self, ticket, timeout_s):
        self.run()

    def run(self):
        while self.due:
            self.due.popleft()()


@pytest.fixture
def owner():
    return Owner()


@pytest.fixture
def ticket(owner):
    return Ticket(owner, 3, "propose")


def test_callbacks_wait_for_their_turn_and_come_once(owner, ticket):
    heard = []
    assert ticket.when_done(heard.append) is ticket
    ticket.finish("done", "answer")
    assert (heard, ticket.value, ticket.is_finished) == ([], "answer", True)
    ticket.when_done(heard.append)
    assert heard == []
    owner.run()
    assert heard == [ticket, ticket]
    owner.run()
    assert len(heard) == 2


def test_the_first_end_counts(owner, ticket):
    heard = []
    ticket.when_done(heard.append)
    ticket.finish("cancelled", error=Cancelled())
    ticket.finish("done", "late")
    owner.run()
    assert (ticket.state, ticket.value, len(heard)) == ("cancelled", None, 1)


@pytest.mark.parametrize(("state", "told"), [("done", 1), ("cancelled", 0), ("superseded", 0)])
def test_progress_on_its_way_is_dropped_when_nobody_wants_it(owner, ticket, state, told):
    heard = []
    ticket.when_progress(heard.append)
    ticket.report(HALF)
    assert (heard, ticket.progress) == ([], HALF)
    ticket.finish(state)
    owner.run()
    assert len(heard) == told


def test_a_result_is_the_value_or_the_error(ticket):
    ticket.finish("failed", error=InputError("No."))
    with pytest.raises(InputError, match="No"):
        ticket.result()
    other = Ticket(ticket._owner, 4, "hello")
    other.finish("done", 5)
    assert other.result() == 5
