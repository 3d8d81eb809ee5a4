import pytest

from DiffusionSegLib.doctor.command import doctor_command
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.worker.command import default_command, parse_command


@pytest.mark.parametrize(
    ("worker", "doctor"),
    [
        ("/env/bin/python", "/env/bin/python -m DiffusionSegLib.cli.main doctor"),
        ("/env/bin/diffusionseg worker", "/env/bin/diffusionseg doctor"),
        ("ssh host diffusionseg worker", "ssh host diffusionseg doctor"),
        ("docker run -i worker diffusionseg worker", "docker run -i worker diffusionseg doctor"),
        ("ssh host 'nice diffusionseg worker'", "ssh host 'nice diffusionseg doctor'"),
        ("bash -lc 'worker '", "bash -lc doctor"),
    ],
)
def test_the_last_word_is_exchanged_alone(worker, doctor):
    assert doctor_command(parse_command(worker)) == parse_command(doctor)


def test_ours():
    assert doctor_command(default_command()) == (*default_command()[:-1], "doctor")


@pytest.mark.parametrize("worker", ["ssh host start-coworker", "serve", "a worker --fast", "a b"])
def test_another_command_is_explained(worker):
    with pytest.raises(InputError, match="does not end with the word worker") as told:
        doctor_command(parse_command(worker))
    assert worker in str(told.value) and str(told.value).endswith(".")


def test_no_words_at_all():
    with pytest.raises(InputError):
        doctor_command(())
