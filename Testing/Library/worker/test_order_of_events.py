"""The client and a worker whose news comes in the order that a test says."""

import numpy as np
import pytest

from DiffusionSegLib.errors import InputError, WorkerError
from DiffusionSegLib.nouns.prompt import Prompt
from Testing.Library.worker.scripted import ScriptedClient
from Testing.Library.worker.toys import image, setup


def propose(client, **parameters):
    return client.propose(setup(**parameters), "a", Prompt())


def has_begun(client, ticket):
    """The worker computes for it."""
    told = {"fraction": 0.5, "stage": "Drawing", "elapsed_s": 1.0, "remaining_s": None}
    client.worker.tell("progress", ticket.id, **told)
    client.poll()


def told(client, kind, ticket):
    """How often the worker that lives was told so of that request."""
    about = [one for one in client.worker.sent if one.get("of") == ticket.id]
    return [one["kind"] for one in about].count(kind)


@pytest.fixture
def client():
    made = ScriptedClient()
    made.set_image("a", image())
    return made


def test_a_job_that_another_takes_the_place_of_is_left_before_anything_else_is_sent(client):
    """A new image may be long on its way, or the new request never be made."""
    first = propose(client)
    has_begun(client, first)
    client.set_image("b", image(50))
    second = client.propose(setup(), "b", Prompt())
    assert first.state == "superseded"
    assert told(client, "cancel", first) == 1
    kinds = [one["kind"] for one in client.worker.sent]
    assert kinds.index("cancel") < kinds.index("propose", kinds.index("propose") + 1)
    client.worker.not_sent(second.id, InputError("It cannot be packed."))
    client.worker.tell("ended", first.id)
    client.poll()
    assert second.state == "failed"
    assert not client._cancelled_at_s, "nothing is left to lose patience with"


def test_stop_here_is_not_lost_with_a_worker_that_is_replaced():
    client = ScriptedClient(patience_s=0.0)
    client.set_image("a", image())
    stuck = propose(client)
    has_begun(client, stuck)
    stuck.cancel()
    ticket = propose(client, seed=2)
    client.stop_here(ticket)
    old = client.worker
    client.poll()
    assert client.worker is not old and ticket.state == "waiting"
    assert told(client, "stop_here", ticket) == 1
    client.poll()
    assert len(client.links) == 2, "one is enough"


def test_a_worker_in_place_of_another_that_dies_at_once():
    """What waited has failed with it; no third one computes for nobody."""

    class Unlucky(ScriptedClient):
        def _connect(self):
            link = super()._connect()
            if len(self.links) == 2:
                link.end("The worker stopped unexpectedly.")
            return link

    client = Unlucky(patience_s=0.0)
    client.set_image("a", image())
    client.answer("set_image")
    stuck = propose(client)
    has_begun(client, stuck)
    stuck.cancel()
    ticket, question = propose(client, seed=2), client.hello()
    client.poll()
    assert (ticket.state, question.state) == ("failed", "failed")
    kinds = [one["kind"] for link in client.links[1:] for one in link.sent]
    assert "propose" not in kinds and "hello" not in kinds
    again = propose(client)
    client.poll()
    assert again.state == "waiting"


def test_an_answer_that_came_before_it_was_cancelled_is_not_heard(client):
    heard = []
    ticket = propose(client).when_done(lambda one: heard.append(one.state))
    client.worker.answer(ticket.id, "an outline")
    ticket.cancel()
    client.poll()
    assert heard == ["cancelled"]
    assert ticket.value is None


def test_a_callback_that_closes_the_client_is_the_last_thing_that_comes_of_it(client):
    heard = []
    question = client.describe().when_done(lambda _one: client.close())
    ticket = propose(client).when_done(lambda one: heard.append(one.state))
    client.worker.answer(question.id, None)
    client.worker.answer(ticket.id, "an outline")
    client.poll()
    assert heard == ["done"], "it had arrived"
    with pytest.raises(WorkerError, match="was closed"):
        client.describe().result(0)


def test_news_of_the_worker_before_is_not_taken_for_the_new_ones(client):
    old, first = client.worker, client.describe()
    old.end("The worker stopped unexpectedly.")
    client.poll()
    assert first.state == "failed"
    second = client.describe()
    old.answer(second.id, "of the old one")
    old.end("Once more.")
    old.not_sent(second.id, InputError("Of the old one."))
    client.poll()
    assert second.state == "waiting"
    client.worker.answer(second.id, "of the new one")
    client.poll()
    assert second.value == "of the new one"


def test_an_image_that_could_not_be_sent_is_sent_with_the_next_job(client):
    sent = client.asked("set_image")
    client.worker.not_sent(sent[0], InputError("It cannot be packed."))
    client.poll()
    propose(client)
    assert len(client.asked("set_image")) == len(sent) + 1
    assert np.array_equal(client._images.find("a").array, image().array)


def test_it_is_known_whether_an_outline_is_waited_for(client):
    client.hello()
    assert not client.is_outlining
    ticket = propose(client)
    assert client.is_outlining
    client.worker.answer(ticket.id, "an outline")
    client.poll()
    assert not client.is_outlining
    propose(client).cancel()
    assert not client.is_outlining
