import json

import pytest

from DiffusionSegLib.doctor.examination import read_examination
from DiffusionSegLib.doctor.report import Report
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.errors import WorkerError

WELL = Report((Section("A", ("fine",), (), {"n": 1}, "a"),), complete=False)
ILL = Report((Section("A", ("odd { [",), (Problem("It is odd."), Problem("And old.")), {}, "a"),))


def printed(report, **options):
    return json.dumps(report.to_dict(), **options) + "\n"


@pytest.mark.parametrize("options", [{}, {"indent": 2}])
@pytest.mark.parametrize("report", [WELL, ILL])
def test_what_a_report_says_is_read(report, options):
    found = read_examination(printed(report, **options))
    assert found.problems == report.problems
    assert found.text == report.text
    assert (found.works, found.complete) == (report.works, report.complete)


def test_what_a_login_shell_says_before_and_after_is_passed_over():
    found = read_examination(
        'Welcome!\n{conda: base}\n{"a": 1}\n' + printed(ILL, indent=2) + "}\nBye\n"
    )
    assert found.problems == ("It is odd.", "And old.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Works.\n",
        "{",
        '{"works": true}\n',
        '{"problems": [], "text": 3}',
        "[1]\n",
        '{"error": 1}',
    ],
)
def test_where_there_is_no_report_none_is_found(text):
    assert read_examination(text) is None


def test_a_doctor_that_failed_says_why():
    text = '{"error": {"kind": "InputError", "message": "It cannot."}, "exit_code": 2}\n'
    with pytest.raises(WorkerError, match=r"^It cannot\.$") as told:
        read_examination(text)
    assert told.value.log == text
