"""`diffusionseg models`: download, verify, import, export, remove, and what list and info say."""

import io
import json

import pytest

from DiffusionSegLib.backbones import store as store_module
from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from Testing.Library.backbones.fetching import bad_server as bad
from Testing.Library.backbones.fetching.toy_cards import card_of, content, file_of, write

DATA = content(0, 50_000)


@pytest.fixture
def server():
    one = bad.BadServer()
    yield one
    one.close()


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "models"))
    for name in ("DIFFUSIONSEG_MIRROR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    return tmp_path / "models"


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self):
        return True


@pytest.fixture
def toy(models, server):
    url = server.serve("/w", DATA)
    return write(models, card_of(files=[file_of("w", DATA, sources=[{"url": url}])]))


def test_a_model_is_downloaded_verified_and_removed(toy, models, server, capsys):
    assert main(["models", "--method", "cdal"]) == exit_codes.OK
    line = next(one for one in capsys.readouterr().out.splitlines() if "cdal/toy" in one)
    assert "needs download" in line
    assert main(["models", "verify", "toy"]) == exit_codes.OK
    assert capsys.readouterr().out == "cdal/toy: needs download (50.0 kB)\n"
    assert main(["models", "download", "toy", "--accept-licence"]) == exit_codes.OK
    told = capsys.readouterr()
    assert told.out == "cdal/toy: downloaded and whole\n"
    for words in ("Toy licence", "Commercial use: NOT allowed", "Be kind.", "example.org/toy"):
        assert words in told.err
    assert main(["models", "download", "cdal/toy"]) == exit_codes.OK
    assert capsys.readouterr().out == "cdal/toy: is here and whole\n"
    assert main(["models", "verify", "toy"]) == exit_codes.OK
    assert main(["models", "info", "toy", "--json"]) == exit_codes.OK
    told = json.loads(capsys.readouterr().out.partition("\n")[2])[0]
    assert (told["state"], told["licence_accepted"]) == ("ready", True)
    assert len(server.seen) == 1
    assert main(["models", "remove", "toy"]) == exit_codes.OK
    assert capsys.readouterr().out.startswith("Removed cdal/toy (")
    assert not toy.folder.exists()
    assert main(["models", "info", "toy"]) == exit_codes.BAD_INPUT


def test_the_licence_is_asked_once(toy, models, monkeypatch, capsys):
    assert main(["models", "download", "toy"]) == exit_codes.BAD_INPUT
    assert "--accept-licence" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    assert main(["models", "download", "toy"]) == exit_codes.BAD_INPUT
    told = capsys.readouterr().err
    assert "Do you accept the licence of cdal/toy?" in told and "not yes" in told
    assert not (toy.folder / "w").exists()
    monkeypatch.setattr("sys.stdin", Terminal("Yes\n"))
    assert main(["models", "download", "toy"]) == exit_codes.OK
    (toy.folder / "w").unlink()
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert main(["models", "download", "toy"]) == exit_codes.OK


def test_a_failed_download_is_one_sentence_and_exit_code_2(toy, server, capsys):
    server.serve("/w", DATA, bad.answers(404))
    assert main(["models", "download", "toy", "--accept-licence", "--quiet"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and "404" in told.err and len(told.err.splitlines()) == 1


def test_the_mirror_of_the_command_line(toy, server, capsys):
    server.serve("/w", DATA, bad.answers(500))
    server.serve("/m/cdal/toy/w", DATA)
    words = ["models", "download", "toy", "--accept-licence", "--mirror", f"{server.address}/m"]
    assert main(words) == exit_codes.OK


def test_export_and_import(toy, models, tmp_path, monkeypatch, capsys):
    bundle = str(tmp_path / "b.zip")
    assert main(["models", "export", "toy", "-o", bundle]) == exit_codes.BAD_INPUT
    assert "no bundle was written" in capsys.readouterr().err
    main(["models", "download", "toy", "--accept-licence"])
    assert main(["models", "export", "toy"]) == exit_codes.BAD_INPUT
    assert "-o BUNDLE.zip" in capsys.readouterr().err
    assert main(["models", "export", "toy", "-o", bundle]) == exit_codes.OK
    assert "cdal/toy" in capsys.readouterr().out
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "other"))
    assert main(["models", "import", bundle]) == exit_codes.BAD_INPUT
    assert "--accept-licence" in capsys.readouterr().err
    assert main(["models", "import", bundle, "--accept-licence"]) == exit_codes.OK
    assert "Imported cdal/toy (2 files written)." in capsys.readouterr().out
    assert main(["models", "import", bundle]) == exit_codes.OK
    assert "everything was here already" in capsys.readouterr().out
    assert main(["models", "verify", "toy"]) == exit_codes.OK


@pytest.mark.parametrize("action", ["download", "import", "export", "remove"])
def test_what_needs_a_name_says_so(models, action, capsys):
    assert main(["models", action]) == exit_codes.BAD_INPUT
    what = "bundle" if action == "import" else "model"
    assert f"Which {what}? Give its name after '{action}'" in capsys.readouterr().err


def test_a_broken_card_is_listed_with_the_reason_and_can_be_removed(toy, models, capsys):
    place = models / "cdal" / "wrong"
    place.mkdir(parents=True)
    (place / "model.json").write_text('{"method": "cdal"}')
    assert main(["models", "--method", "cdal"]) == exit_codes.OK
    told = capsys.readouterr().out
    assert any(one.startswith("cdal/wrong") and "BROKEN" in one for one in told.splitlines())
    assert "BROKEN cdal/wrong: The model card" in told and "'name' is missing" in told
    assert main(["models", "list", "--json"]) == exit_codes.OK
    entry = json.loads(capsys.readouterr().out)[-1]
    assert (entry["id"], entry["state"]) == ("cdal/wrong", "broken")
    assert main(["models", "info", "wrong"]) == exit_codes.BAD_INPUT
    assert "'name' is missing" in capsys.readouterr().err
    assert main(["models", "verify", "--method", "cdal"]) == exit_codes.BAD_INPUT
    assert "'name' is missing" in capsys.readouterr().out
    assert main(["models", "remove", "cdal/wrong"]) == exit_codes.BAD_INPUT
    assert "--yes" in capsys.readouterr().err and place.exists()
    assert main(["models", "remove", "cdal/wrong", "--yes"]) == exit_codes.OK
    assert not place.exists()


def test_what_cannot_be_downloaded_again_is_not_removed_unasked(models, monkeypatch, capsys):
    entry = write(models, card_of(files=[file_of("w", DATA)]))
    (entry.folder / "w").write_bytes(DATA)
    assert main(["models", "remove", "toy"]) == exit_codes.BAD_INPUT
    assert "cannot be downloaded again. Delete it? Say so with --yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert main(["models", "remove", "toy"]) == exit_codes.BAD_INPUT
    assert (entry.folder / "w").read_bytes() == DATA
    assert main(["models", "remove", "toy", "--yes"]) == exit_codes.OK
    assert not entry.folder.exists()


def test_a_removal_that_was_stopped_leaves_no_half_model(toy, models, server, capsys):
    """Its card may still be there when its weights are gone."""
    half = models / "cdal" / ".removed-0badcafe"
    half.mkdir()
    (half / "model.json").write_text((toy.folder / "model.json").read_text())
    assert main(["models", "list", "--method", "cdal"]) == exit_codes.OK
    told = capsys.readouterr().out
    assert told.count("cdal/toy") == 1 and "There are two models" not in told
    assert main(["models", "remove", "toy", "--yes"]) == exit_codes.OK
    assert list((models / "cdal").iterdir()) == []


def test_what_came_with_the_program_stays(models, capsys):
    assert main(["models", "remove", "hippocampus", "--yes"]) == exit_codes.BAD_INPUT
    assert "it came with the program" in capsys.readouterr().err


def test_of_two_models_with_one_id_it_is_said_which_wins(models, tmp_path, monkeypatch, capsys):
    bundled = write(tmp_path / "bundled", card_of(title="Bundled"))
    mine = write(models, card_of(title="Mine"))
    monkeypatch.setattr(store_module, "_bundled", lambda: [tmp_path / "bundled"])
    sentence = (
        f"There are two models cdal/toy: the one in {bundled.folder} is used, the one in "
        f"{mine.folder} is not."
    )
    for words in (["models"], ["models", "info", "toy"]):
        assert main(words) == exit_codes.OK
        told = capsys.readouterr().out
        assert sentence in told and f"--model {mine.folder}" in told and "Bundled" in told
    found = store_module.ModelStore().find("cdal", str(mine.folder))
    assert found.title == "Mine"
    mine_again = card_of("mine", title="Mine")
    (mine.folder / "model.json").write_text(json.dumps(mine_again))
    assert main(["models"]) == exit_codes.OK
    told = capsys.readouterr().out
    assert "two models" not in told and "cdal/mine" in told


def test_a_removal_goes_no_further_than_the_folder_of_models(models, tmp_path, capsys):
    """A link in it may lead to what is somebody else's."""
    elsewhere = write(tmp_path / "elsewhere", card_of("linked"))
    models.joinpath("cdal").mkdir(parents=True)
    link = models / "cdal" / "linked"
    try:
        link.symlink_to(elsewhere.folder, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets nobody make links")
    assert main(["models", "remove", "linked", "--yes"]) == exit_codes.OK
    assert not link.exists() and (elsewhere.folder / "model.json").is_file()
