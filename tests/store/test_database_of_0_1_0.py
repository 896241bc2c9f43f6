"""A database that Filemill 0.1.0 has written opens and shows the same data, with every kind of reason.

Filemill 0.1.0 created both fixtures: the database `filemill-0.1.0.db`, and `filemill-0.1.0.json` with what it printed
and showed. Never create them again.
"""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QLocale, QTranslator

from desktop_app.__main__ import main
from desktop_app.config.paths import resource
from desktop_app.domain.reasons import FileProblem, ReasonCode
from desktop_app.gui.details.texts import attempt_result, summary_of_one
from desktop_app.gui.filtering.sidebar import SidebarTexts
from desktop_app.gui.wording import Wording
from desktop_app.store.outbox import Outbox
from desktop_app.store.recovery import Recovery
from tests.store.kit import Store, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QApplication

    from desktop_app.domain.job import Job

FIXTURES = Path(__file__).with_name("fixtures")
THEN: dict[str, Any] = json.loads((FIXTURES / "filemill-0.1.0.json").read_text(encoding="utf-8"))
LANGUAGES = ("en", "de")
QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/filemill"
CURRENT_TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "\N{NO-BREAK SPACE}%": "%",
        "Waits for the queue ": "Waiting for the queue ",
        "Retry at {time}": "Next attempt at {time}",
        **{f"Retry {number} of ": f"Attempt {number} of " for number in range(2, 6)},
        "Given back before it was done (the program was closed)": "Released before it finished (Filemill was closed)",
        "(the queue put its message aside)": "(the message was moved to the dead-letter queue)",
        "Broken off: the file was taken off the list": "Cancelled: the file was removed from the list",
        "No reason was given": "No reason given",
        "Runs": "In progress",
        "(the program stopped)": "(Filemill exited)",
        "The file changed while it was read; its result was thrown away so that no wrong numbers are kept": (
            "The file changed while it was being read; the result was discarded because it could be wrong"
        ),
        "Addresses on the web are not supported yet; download the file and add it from this computer": (
            "Web addresses are not supported yet; download the file and add it from this computer"
        ),
        "The system reports another size for this file than it has content, so it can't be processed": (
            "The size that the system reports for this file does not match its content, so it can't be processed"
        ),
        "Something went wrong in Filemill itself. The file is put aside; the log has the details": (
            "An internal error occurred in Filemill. See the log for details"
        ),
        "This is a link to a folder; such links are not followed, so that nothing is added twice": (
            "This is a link to a folder; links to folders are not followed, so that nothing is added twice"
        ),
        " times while it worked on this file. The file is put aside; the others go on": (
            " times while it was processing this file. Other files are not affected"
        ),
        "This address names another computer; only files of this one can be added": (
            "This address points to another computer; only files on this computer can be added"
        ),
        "The queue has put its message aside after one delivery without an end": (
            "Moved to the dead-letter queue after one delivery"
        ),
        "This computer is short of memory or has too many files open at once": (
            "This computer is low on memory or has too many files open"
        ),
        "The disk or network share that holds this file did not deliver it": (
            "The file could not be read from its disk or network share"
        ),
        "Addresses on the web can't be added yet; download the file first": (
            "Web addresses can't be added yet; download the file first"
        ),
        "The file is no longer there: a part of its path is not a folder": (
            "The file no longer exists: part of its path is not a folder"
        ),
        "No file can be there: the path is too long for this system": ("The path is too long for this system"),
        "You may not read this file, or another program is using it": (
            "You don't have permission to read this file, or another program is using it"
        ),
        "This is a named pipe; only ordinary files can be processed": (
            "This is a named pipe; only regular files can be processed"
        ),
        "This is a socket; only ordinary files can be processed": (
            "This is a socket; only regular files can be processed"
        ),
        "This is a device; only ordinary files can be processed": (
            "This is a device; only regular files can be processed"
        ),
        "You may not look into the folder that this lies in": (
            "You don't have permission to open the folder that contains this item"
        ),
        "This link leads in a circle and never to a file": (
            "This symbolic link points back to itself and never reaches a file"
        ),
        "The program ended while it worked on this file": (
            "Filemill exited unexpectedly while it was processing this file"
        ),
        "There is no way to process this kind of file": ("Filemill can't process this kind of file"),
        "This link leads to a file that is not there": ("This link points to a file that does not exist"),
        "The queue refuses its message: The queue “": ("The queue rejected its message: The queue “"),
        "The queue has put its message aside after ": ("Moved to the dead-letter queue after "),
        "You may not look into this folder": ("You don't have permission to open this folder"),
        "The queue refuses its message: ": ("The queue rejected its message: "),
        "This folder is no longer there": ("This folder no longer exists"),
        "This is not an ordinary file": ("This is not a regular file"),
        "The file is no longer there": ("The file no longer exists"),
        "No file can have this name": ("This is not a valid file name"),
        "You may not read this file": ("You don't have permission to read this file"),
        " deliveries without an end": (" deliveries"),
        "” refuses the request: ": ("” rejected the request: "),
        "There is no such file": ("The file does not exist"),
        "The program ended ": ("Filemill exited unexpectedly "),
        " (given up after ": (" (gave up after "),
        " follows": (" will follow"),
        " tries)": (" attempts)"),
        "; try ": ("; attempt "),
    },
    "de": {
        "Neuer Versuch um {time}": "Nächster Versuch um {time}",
        "Vor dem Ende zurückgegeben (": "Vor dem Ende freigegeben (",
        "(die Warteschlange hat die Nachricht beiseitegelegt)": (
            "(die Nachricht wurde in die Dead-Letter-Warteschlange verschoben)"
        ),
        "Abgebrochen: Die Datei wurde aus der Liste genommen": "Abgebrochen: Die Datei wurde aus der Liste entfernt",
        "-mal beendet, während es an dieser Datei arbeitete. Die Datei ist beiseitegelegt; die anderen gehen weiter": (
            "-mal unerwartet beendet, während es diese Datei verarbeitete. Andere Dateien sind nicht betroffen"
        ),
        "In Filemill selbst ist etwas schiefgegangen. Die Datei ist beiseitegelegt; Näheres steht im Protokoll": (
            "In Filemill ist ein interner Fehler aufgetreten. Details finden Sie im Protokoll"
        ),
        "Die Warteschlange hat die Nachricht nach einer Zustellung ohne Abschluss beiseitegelegt": (
            "Nach einer Zustellung in die Dead-Letter-Warteschlange verschoben"
        ),
        "Something went wrong in Filemill itself. The file is put aside; the log has the details": (
            "In Filemill ist ein interner Fehler aufgetreten. Details finden Sie im Protokoll"
        ),
        "Das Laufwerk oder die Netzwerkfreigabe mit dieser Datei hat sie nicht geliefert": (
            "Die Datei konnte nicht von ihrem Datenträger oder ihrer Netzwerkfreigabe gelesen werden"
        ),
        "Dort kann keine Datei sein: Der Pfad ist für dieses System zu lang": (
            "Der Pfad ist zu lang für dieses System"
        ),
        "Das Programm wurde beendet, während es an dieser Datei arbeitete": (
            "Das Programm wurde unerwartet beendet, während es diese Datei verarbeitete"
        ),
        " Zustellungen ohne Abschluss beiseitegelegt": (" Zustellungen in die Dead-Letter-Warteschlange verschoben"),
        "Die Warteschlange hat die Nachricht nach ": ("Nach "),
        "Keine Datei kann so heißen": ("Das ist kein gültiger Dateiname"),
        "Adressen im Web": "Webadressen",
        "bitte die Datei herunterladen und von diesem Computer hinzufügen": (
            "laden Sie die Datei herunter und fügen Sie sie von diesem Computer hinzu"
        ),
        "Das System meldet für diese Datei eine andere Größe, als sie Inhalt hat;": (
            "Die Größe, die das System für diese Datei meldet, stimmt nicht mit ihrem Inhalt überein;"
        ),
        "Dateien dieser Art können nicht verarbeitet werden": "Filemill kann Dateien dieser Art nicht verarbeiten",
        "Die Datei hat sich geändert": "Die Datei wurde geändert",
        "damit keine falschen Zahlen bleiben": "weil es falsch sein könnte",
        "Die Datei ist nicht mehr da": ("Die Datei ist nicht mehr vorhanden"),
        "Dies ist ein Gerät; nur gewöhnliche Dateien können verarbeitet werden": (
            "Dies ist ein Gerät; nur reguläre Dateien können verarbeitet werden"
        ),
        "Dies ist ein Socket; nur gewöhnliche Dateien können verarbeitet werden": (
            "Dies ist ein Socket; nur reguläre Dateien können verarbeitet werden"
        ),
        "Dies ist eine benannte Pipe; nur gewöhnliche Dateien können verarbeitet werden": (
            "Dies ist eine benannte Pipe; nur reguläre Dateien können verarbeitet werden"
        ),
        "Dies ist keine gewöhnliche Datei": ("Dies ist keine reguläre Datei"),
        "Diese Verknüpfung führt im Kreis und nie zu einer Datei": (
            "Diese symbolische Verknüpfung verweist auf sich selbst und führt nie zu einer Datei"
        ),
        "Diesem Computer fehlt Speicher, oder er hat zu viele Dateien zugleich offen": (
            "Auf diesem Computer ist zu wenig Arbeitsspeicher frei, oder es sind zu viele Dateien geöffnet"
        ),
        "Das Laufwerk oder die Netzwerkfreigabe hat 10 Minuten lang nicht geantwortet": (
            "Der Datenträger oder die Netzwerkfreigabe hat 10 Minuten lang nicht geantwortet"
        ),
        "(das Programm endete)": "(das Programm wurde beendet)",
        "Die Warteschlange lehnt die Nachricht ab: ": "Die Warteschlange hat die Nachricht abgelehnt: ",
        "“ lehnt die Anfrage ab: ": "“ hat die Anfrage abgelehnt: ",
        "Diese Datei gibt es nicht": ("Die Datei gibt es nicht"),
    },
}
"""The current sentences by the sentences that 0.1.0 showed."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a copy of the database."""
    return Path(shutil.copy(FIXTURES / "filemill-0.1.0.db", tmp_path))


@pytest.fixture
def old(path: Path) -> Iterator[Store]:
    """Open the copy."""
    store = Store(path)
    yield store
    store.database.release()


@contextmanager
def speaking(application: QApplication, language: str) -> Iterator[Wording]:
    """Use a language for the window's texts within the context."""
    before, translator = QLocale(), QTranslator()
    QLocale.setDefault(QLocale(language))
    if language != "en":
        assert translator.load(str(resource("translations") / f"filemill_{language}.qm"))
        application.installTranslator(translator)
    try:
        yield Wording(QLocale(language))
    finally:
        application.removeTranslator(translator)
        QLocale.setDefault(before)


def now(then: str, language: str = "en") -> str:
    """Return the current text for a text that 0.1.0 showed."""
    texts = CURRENT_TEXTS[language]
    longest_first = sorted(texts, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: texts[found[0]], then)


def test_terminal_prints_the_same_rows(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("FILEMILL_DATABASE", str(path))
    assert main(["status", "--json"]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    fields = THEN["status_json"][0].keys()
    assert [{field: job[field] for field in fields} for job in printed] == [
        {**job, "reason": now(job["reason"])} for job in THEN["status_json"]
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_window_shows_the_same_reasons(old: Store, qapp: QApplication, language: str) -> None:
    shown = THEN["shown"][language]["jobs"]
    with speaking(qapp, language) as wording:
        for job in old.jobs.all():
            wording.queue = job.queue
            if wording.has_reason(job):  # otherwise 0.1.0 showed what is now part of the status
                assert timeless(wording.reason(job), job, wording) == now(shown[job.id]["reason"], language)
            wording.queue = QUEUE
            assert timeless(summary_of_one(job, wording).happened, job, wording) == now(
                shown[job.id]["happened"], language
            )


def timeless(text: str, job: Job, wording: Wording) -> str:
    """Return a text with `{time}` for the time of the next attempt, which depends on the time zone."""
    return text if job.next_try_at is None else text.replace(wording.moment(job.next_try_at), "{time}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_attempts_show_the_same_results(old: Store, qapp: QApplication, language: str) -> None:
    shown = THEN["shown"][language]["attempts"]
    with speaking(qapp, language):
        said = {
            job.id: [attempt_result(attempt) for attempt in old.jobs.attempts(job.row_id)] for job in old.jobs.all()
        }
    assert {job: texts for job, texts in said.items() if texts} == {
        job: [now(text, language) for text in texts] for job, texts in shown.items()
    }


# Of reasons that are equally frequent, the sidebar shows the first in the order of the English texts.
FIRST_OF_EQUALS = {
    "en": "Filemill can't process this kind of file",
    "de": "Filemill kann Dateien dieser Art nicht verarbeiten",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_sidebar_shows_the_same_groups(old: Store, qapp: QApplication, language: str) -> None:
    with speaking(qapp, language) as wording:
        facts = SidebarTexts(wording).problems(old.jobs.problems())
        found = {code: [entry.text, entry.count, entry.hint] for code, entry in facts.items()}
    shown = THEN["shown"][language]["problems"]
    expected = {code: [now(text, language), count, note] for code, (text, count, note) in shown.items()}
    expected["not_a_file"][0] = FIRST_OF_EQUALS[language]
    assert found == expected
    assert {job.id: job.problem for job in old.jobs.all() if job.problem} == THEN["problem_codes"]


def test_every_reason_that_a_program_has_written_has_a_code(old: Store) -> None:
    reasons = {job.reason for job in old.jobs.all() if job.reason}
    reasons |= {attempt.reason for job in old.jobs.all() for attempt in old.jobs.attempts(job.row_id) if attempt.reason}
    assert {str(reason.cause) for reason in reasons if reason.code is ReasonCode.TEXT} == {
        "A plain sentence that no template makes.",
        "No template",
        "Waits for nobody knows what",
        "the file is no longer there",
        "x",
        "{reason} and {braces}",
    }
    problems_added_later = {
        FileProblem.BAD_CONTENT,
        FileProblem.MISMATCH,
        FileProblem.LIMIT,
        FileProblem.NOT_AVAILABLE,
        FileProblem.COMMAND,
        FileProblem.PLUGIN,
    }
    added_later = {ReasonCode.SHARE_SILENT, *(code for code in ReasonCode if code.problem in problems_added_later)}
    assert {reason.code for reason in reasons} >= {code for code in ReasonCode if code.problem} - added_later
    sent = {reason.code: dict(reason.arguments) for reason in reasons if reason.code is ReasonCode.DEAD_LETTERED}
    assert sent
    assert all(isinstance(count, int) for arguments in sent.values() for count in arguments.values())


def test_batches_outbox_attempts_and_removed_rows_are_kept(old: Store) -> None:
    assert [[batch.name, batch.created_at, batch.counts.total] for batch in old.jobs.batches()] == THEN["batches"]
    outbox = "job.uuid, outbox.queue, outbox.generation, tries, outbox.next_try_at, claim_owner, claim_until"
    assert _lists(old, f"SELECT {outbox} FROM outbox JOIN job ON job.id = job_id ORDER BY position") == THEN["outbox"]
    attempt = "job.uuid, token, attempt.generation, number, worker, attempt.started_at, ended_at, outcome"
    assert (
        _lists(old, f"SELECT {attempt} FROM attempt JOIN job ON job.id = job_id ORDER BY job_id, token")
        == THEN["attempts"]
    )
    assert _lists(old, "SELECT uuid, removed_at FROM job WHERE removed_at IS NOT NULL ORDER BY id") == THEN["removed"]
    named_now = {"instance of local-0": "creation of local"}
    facts = sorted([named_now.get(name, name), value] for name, value in THEN["facts"])
    assert _lists(old, "SELECT name, value FROM fact ORDER BY name") == facts


def test_messages_of_the_former_local_server_are_sent_again_once(old: Store) -> None:
    recovery = Recovery(old.database)
    assert recovery.is_another_queue(queue="local", created_at_ms=1)
    assert not recovery.is_another_queue(queue="local", created_at_ms=1)


def test_unfinished_work_continues(old: Store) -> None:
    """Unsent messages are sent, and removed files are restored with their reasons."""
    outbox, waiting = Outbox(old.database), [entry for entry in THEN["outbox"] if entry[1] == QUEUE]
    at = max(entry[6] for entry in THEN["outbox"]) + 3_600_000
    entries = outbox.claim(queue=QUEUE, owner="new", limit=100, now_ms=at, claim_ms=1_000)
    assert [[entry.file_id, entry.generation] for entry in entries] == [
        [uuid, number] for uuid, _, number, *_ in waiting
    ]
    gone = [row_id for (row_id,) in rows_of(old.path, "SELECT id FROM job WHERE removed_at IS NOT NULL ORDER BY id")]
    assert old.intake.restore(gone) == len(THEN["removed"])
    assert "The file no longer exists" in {str(old.job(row_id).reason) for row_id in gone}


def _lists(store: Store, statement: str) -> list[list[Any]]:
    return [list(row) for row in store.sql(statement)]
