"""A database that Filemill 0.1.0 has written, with a reason of every kind, opens and says what it said then.

Both files were made by 0.1.0 itself: `fixtures/filemill-0.1.0.db`, and beside it what that program printed and showed.
They are never made again.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QLocale, QTranslator

from desktop_app.__main__ import main
from desktop_app.config.paths import resource
from desktop_app.domain.reasons import ReasonCode
from desktop_app.gui.details.words import attempt_result, summary_of_one
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
MENDED: dict[str, dict[str, str]] = {
    "en": {},
    "de": {
        # It took this sentence for a title with a text below it, which stayed English.
        "Something went wrong in Filemill itself. The file is put aside; the log has the details": (
            "In Filemill selbst ist etwas schiefgegangen. Die Datei ist beiseitegelegt; Näheres steht im Protokoll"
        ),
    },
}
"""Sentences that read better now, by what 0.1.0 showed in their place."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A copy of the database."""
    return Path(shutil.copy(FIXTURES / "filemill-0.1.0.db", tmp_path))


@pytest.fixture
def old(path: Path) -> Iterator[Store]:
    """The copy, opened."""
    store = Store(path)
    yield store
    store.database.release()


@contextmanager
def speaking(application: QApplication, language: str) -> Iterator[Wording]:
    """The window's texts in a language."""
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
    """What is shown now where 0.1.0 showed this."""
    for old_text, text in MENDED[language].items():
        then = then.replace(old_text, text)
    return then


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
            assert timeless(wording.reason(job), job, wording) == now(shown[job.id]["reason"], language)
            wording.queue = QUEUE
            assert timeless(summary_of_one(job, wording).happened, job, wording) == now(
                shown[job.id]["happened"], language
            )


def timeless(text: str, job: Job, wording: Wording) -> str:
    """A text without the time of day of the next attempt, which is another one in each time zone."""
    return text if job.next_try_at is None else text.replace(wording.clock(job.next_try_at), "{time}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_attempts_say_how_they_ended(old: Store, qapp: QApplication, language: str) -> None:
    shown = THEN["shown"][language]["attempts"]
    with speaking(qapp, language):
        said = {
            job.id: [attempt_result(attempt) for attempt in old.jobs.attempts(job.row_id)] for job in old.jobs.all()
        }
    assert {job: texts for job, texts in said.items() if texts} == {
        job: [now(text, language) for text in texts] for job, texts in shown.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_sidebar_groups_as_it_did(old: Store, qapp: QApplication, language: str) -> None:
    with speaking(qapp, language) as wording:
        facts = SidebarTexts(wording).problems(old.jobs.problems())
        found = {code: [entry.text, entry.count, entry.note] for code, entry in facts.items()}
    shown = THEN["shown"][language]["problems"]
    assert found == {code: [now(text, language), count, note] for code, (text, count, note) in shown.items()}
    assert {job.id: job.problem for job in old.jobs.all() if job.problem} == THEN["problem_codes"]


def test_every_reason_has_a_code_but_those_that_no_program_has_written(old: Store) -> None:
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
    assert {reason.code for reason in reasons} >= {code for code in ReasonCode if code.problem}
    sent = {reason.code: dict(reason.arguments) for reason in reasons if reason.code is ReasonCode.DEAD_LETTERED}
    assert sent
    assert all(isinstance(count, int) for arguments in sent.values() for count in arguments.values())


def test_batches_outbox_attempts_and_removed_rows_are_kept(old: Store) -> None:
    assert [[batch.name, batch.created_at, batch.count] for batch in old.jobs.batches()] == THEN["batches"]
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


def test_what_the_local_server_held_is_sent_again_at_the_first_look(old: Store) -> None:
    recovery = Recovery(old.database)
    assert recovery.is_another_queue(queue="local", created_at_ms=1)
    assert not recovery.is_another_queue(queue="local", created_at_ms=1)


def test_work_goes_on_where_it_was_left(old: Store) -> None:
    """What was not sent is sent, and what was removed comes back with its reason."""
    outbox, waiting = Outbox(old.database), [entry for entry in THEN["outbox"] if entry[1] == QUEUE]
    at = max(entry[6] for entry in THEN["outbox"]) + 3_600_000
    entries = outbox.claim(queue=QUEUE, owner="new", limit=100, now_ms=at, claim_ms=1_000)
    assert [[entry.file_id, entry.generation] for entry in entries] == [
        [uuid, number] for uuid, _, number, *_ in waiting
    ]
    gone = [row_id for (row_id,) in rows_of(old.path, "SELECT id FROM job WHERE removed_at IS NOT NULL ORDER BY id")]
    assert old.intake.restore(gone) == len(THEN["removed"])
    assert "The file is no longer there" in {str(old.job(row_id).reason) for row_id in gone}


def _lists(store: Store, statement: str) -> list[list[Any]]:
    return [list(row) for row in store.sql(statement)]
