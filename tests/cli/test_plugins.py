"""`filemill plugins`, from the template in the plug-in folder to a processed file."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

TEMPLATE = Path(__file__).resolve().parents[2] / "resources" / "plugins" / "words.py"


@pytest.fixture
def folder(isolated_environment: Path, cli: Cli) -> Path:
    """Return the plug-in folder, which the command creates."""
    complaint = cli("plugins").complaints[-1]
    return Path(complaint.rpartition("into the folder ")[2].removesuffix("."))


def test_template_is_allowed_and_processes_a_file(cli: Cli, folder: Path, tmp_path: Path) -> None:
    shutil.copy(TEMPLATE, folder)
    digest = hashlib.sha256(TEMPLATE.read_bytes()).hexdigest()
    assert cli("plugins").out == f"words.py: not allowed\n    {folder / 'words.py'}\n    SHA-256 {digest}\n"
    outcome = cli("plugins", "allow", "--yes", "words.py")
    assert (outcome.code, outcome.out) == (0, "Allowed. Use it with `filemill submit --processor words`.\n")
    assert str(folder / "words.py") in outcome.err
    assert digest in outcome.err
    assert "A plug-in can do anything that you can do on this computer" in outcome.err
    assert "words: Words" in cli("processors").out
    (tmp_path / "a.txt").write_text("one two\nthree")
    ids = cli.submit(tmp_path / "a.txt", "--processor", "words", "--option", "least=4")
    assert cli("worker", "--until-idle").code == 0
    (job,) = cli("status", "--json", *ids).jobs
    assert (job["status"], job["processor"], job["result"]) == ("PROCESSED", "words", {"words": 1})


def test_json(cli: Cli, folder: Path) -> None:
    shutil.copy(TEMPLATE, folder)
    (before,) = cli("plugins", "--json").jobs
    assert (before["name"], before["consent"], before["title"]) == ("words.py", "not allowed", None)
    cli("plugins", "allow", "--yes", str(folder / "words.py"))
    (after,) = cli("plugins", "--json").jobs
    assert (after["name"], after["consent"], after["title"], after["version"]) == ("words", "allowed", "Words", 1)
    assert after["sha256"] == before["sha256"]


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("yes\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_it_asks_in_a_terminal(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    import io
    import sys

    shutil.copy(TEMPLATE, folder)
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    outcome = cli("plugins", "allow", "words.py")
    assert (outcome.code, "Allow this plug-in? [y/N]" in outcome.err) == (code, True)
    assert cli("plugins", "--json").jobs[0]["consent"] == ("not allowed" if code else "allowed")


def test_nobody_is_asked_without_a_terminal(cli: Cli, folder: Path) -> None:
    shutil.copy(TEMPLATE, folder)
    outcome = cli("plugins", "allow", "words.py")
    assert (outcome.code, "--yes" in outcome.err) == (2, True)


def test_broken_plug_in_is_an_error_and_stays_listed(cli: Cli, folder: Path) -> None:
    (folder / "broken.py").write_text("import no_such_module")
    outcome = cli("plugins", "allow", "--yes", "broken.py")
    assert outcome.code == 1
    assert "No module named 'no_such_module'" in outcome.err
    assert "broken.py: allowed: ModuleNotFoundError: No module named 'no_such_module'" in cli("plugins").out
    assert "Lines and size" in cli("processors").out


def test_forbid(cli: Cli, folder: Path) -> None:
    shutil.copy(TEMPLATE, folder)
    cli("plugins", "allow", "--yes", "words.py")
    assert cli("plugins", "forbid", "words").out == "The plug-in “words” is not used any more.\n"
    assert "words: Words" not in cli("processors").out


@pytest.mark.parametrize("words", [["allow"], ["allow", "a", "b"], ["trust", "words.py"]])
def test_wrong_use(cli: Cli, words: list[str]) -> None:
    assert cli("plugins", *words).code == 2


def test_unknown_plug_in(cli: Cli, folder: Path) -> None:
    outcome = cli("plugins", "allow", "--yes", "no.py")
    assert (outcome.code, "There is no plug-in “no.py”" in outcome.err) == (1, True)
