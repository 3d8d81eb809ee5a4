import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.doctor.privacy import discreet, discretion

SECRETS = {
    "HTTPS_PROXY": "http://ann:pa55word@proxy.clinic.example:8080",
    "HF_TOKEN": "hf_0123456789",
    "DIFFUSIONSEG_TOKENS": "weights.clinic.example=t0k3n,other.example=s3cr3t",
    "DIFFUSIONSEG_MIRROR": "https://mirror.clinic.example/models",
    "AWS_SECRET_ACCESS_KEY": "AKIA123",
    "USER": "asmith",
    "COMPUTERNAME": "WARD7-PC",
    "LANG": "de_DE.UTF-8",
}


def made(text, places=None, names=("asmith", "ward7-pc"), home="/home/asmith"):
    return discretion(SECRETS, places, Path(home), names)(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("in /home/asmith.", "in ~."),
        ("/home/asmith/models", "~/models"),
        ("/home/asmithson/x", "/.../x"),  # somebody else's
        ("'/home/asmith/.venv/bin/python'", "'~/.../python'"),
        ("/data/Smith^John/scan.nii.gz is damaged", "/.../scan.nii.gz is damaged"),
        ("C:\\Data\\Smith\\scan.nii", "C:/.../scan.nii"),
        ("/usr/lib stays", "/usr/lib stays"),
        ("see https://download.pytorch.org/whl/cu126.", "see https://download.pytorch.org/whl/cu126."),
        ("at http://bob:pw@host.example/x", "at http://<user>@host.example/x"),
        ("the proxy http://ann:pa55word@proxy.clinic.example:8080 refuses",
         "the proxy <HTTPS_PROXY> refuses"),
        ("proxy.clinic.example knows no pa55word", "<HTTPS_PROXY> knows no <HTTPS_PROXY>"),
        ("Bearer hf_0123456789", "Bearer <HF_TOKEN>"),
        ("the token t0k3n of weights.clinic.example",
         "the token <DIFFUSIONSEG_TOKENS> of <DIFFUSIONSEG_TOKENS>"),
        ("AKIA123", "<AWS_SECRET_ACCESS_KEY>"),
        ("user ASmith on Ward7-PC", "user <name> on <name>"),
        ("blacksmith and asmiths", "blacksmith and asmiths"),
        ("de_DE.UTF-8", "de_DE.UTF-8"),  # nobody's secret
        ("adzus/compact: ready; 12/13", "adzus/compact: ready; 12/13"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_shown(text, shown):
    assert made(text) == shown


def test_folders_with_a_name_are_shown_with_what_is_in_them():
    places = {"models folder": Path("/data/Smith John/models"), "program": Path("/opt/seg")}
    assert made("/data/Smith John/models/cdal/a/model.json", places) == (
        "<models folder>/cdal/a/model.json"
    )
    assert made("in /opt/seg/worker/a.py", places) == "in <program>/worker/a.py"
    assert made("/opt/segment/a/b.py", places) == "/.../b.py"


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
def test_a_folder_with_a_space_is_known_from_the_variable_that_names_it():
    make = discretion(
        {"PYTHONPATH": "/data/Smith John/a:/b", "NOTE": "a b"}, None, Path("/h/x"), ()
    )
    assert make("in /data/Smith John/a/torch/x.py, a b") == "in <PYTHONPATH>/torch/x.py, a b"


def test_folders_of_windows_with_slashes_of_either_kind():
    home = "C:\\Users\\asmith"
    assert made("C:\\Users\\asmith\\x", home=home) == "~\\x"
    assert made("C:/Users/asmith/x", home=home) == "~/x"


def test_the_longer_of_two_folders_comes_first():
    places = {"program": Path("/home/asmith/seg")}
    assert made("/home/asmith/seg/a.py and /home/asmith/b", places) == "<program>/a.py and ~/b"


def test_accounts_that_everybody_has_are_no_names(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "localhost")
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    make = discretion({"USER": "root", "COMPUTERNAME": "WARD9"}, home=Path("/root"))
    assert make("the root of WARD9") == "the root of <name>"


def test_a_user_without_a_name_or_a_home_is_no_mistake(monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert discretion({})("a ~ b") == "a ~ b"


def test_everything_in_what_json_can_hold():
    make = discretion(SECRETS, None, Path("/home/asmith"), ("asmith",))
    value = {"/home/asmith": ["hf_0123456789", 3, None, {"a": ("asmith",)}]}
    assert discreet(value, make) == {"~": ["<HF_TOKEN>", 3, None, {"a": ["<name>"]}]}


words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=6, max_size=12)


@given(words, words, words, st.sampled_from(["{}", "({})", "'{}'", "x={}", "{}: no", "a {} b"]))
def test_no_secret_survives_wherever_it_stands(token, user, folder, frame):
    token, user, folder = f"{token}T", f"{user}U", f"{folder}F"
    make = discretion({"HF_TOKEN": token}, None, Path(f"/home/{user}"), (user,))
    for text in (
        token,
        user,
        f"/home/{user}",
        f"/home/{user}/a",
        f"/data/{folder}/b/c",
        f"/{token}/",
    ):
        shown = make(frame.format(text))
        assert token not in shown
        assert user not in shown
        assert folder not in shown
