"""The contents of a support report, which is complete except for the parts that fail."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.config.paths import Home
from desktop_app.config.settings import Connection, Settings
from desktop_app.domain.connection_checks import Check, Finding, Verdict
from desktop_app.domain.errors import QueueError, QueueTrouble, SettingsError, StoreError
from desktop_app.domain.job import NewFile, Status
from desktop_app.logs.log import log_file
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.control import ProcessingControl
from desktop_app.services.support.report import LOG_RECORDS, Part, SupportReport, SupportSources
from desktop_app.store.adding import Intake
from desktop_app.store.change_feed import ChangeFeed
from desktop_app.store.database import open_database
from desktop_app.store.job_list import JobList
from desktop_app.store.models import JobRow
from tests.helpers.fakes import FakeClient, FakeClock, FakeConnector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop_app.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    home = Home(tmp_path / "data")
    home.create()
    made = open_database(home.database_file, MIGRATIONS)
    yield made
    made.release()


@pytest.fixture
def sources(database: Database, tmp_path: Path) -> SupportSources:
    return SupportSources(
        home=Home(tmp_path / "data"),
        environment={"AWS_REGION": "eu-west-1", "AWS_PROFILE": "ops", "FILEMILL_QUEUE": "orders", "OTHER": "x"},
        settings=Settings,
        connection=lambda: Connection("orders", "ops", "eu-west-1"),
        connect=lambda: FakeConnector(FakeClient()),
        test=lambda _: iter(()),
        database=database,
        jobs=JobList(database),
        clock=FakeClock(),
    )


def collected(sources: SupportSources) -> dict[Part, str]:
    return {section.part: section.text for section in SupportReport(sources).collect()}


def test_facts_of_the_program_and_its_variables(sources: SupportSources) -> None:
    text = collected(sources)[Part.PROGRAM]
    assert f"boto3 {importlib.metadata.version('boto3')}" in text
    assert "AWS_REGION=eu-west-1" in text
    assert "Other variables that are set: AWS_PROFILE, FILEMILL_QUEUE" in text
    assert "OTHER" not in text


def test_library_without_a_version_is_listed(sources: SupportSources, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", gone)
    assert "boto3: no version known" in collected(sources)[Part.PROGRAM]


def test_current_connection_is_described(sources: SupportSources) -> None:
    text = collected(sources)[Part.SETTINGS]
    assert "In use: orders · eu-west-1; profile ops" in text
    assert "Region eu-west-1; endpoint the usual one" in text


def test_state_of_the_list(sources: SupportSources, database: Database) -> None:
    intake = JobEditor(Intake(database), queue="local", clock=FakeClock(), control=ProcessingControl())
    intake.add([NewFile(f"/in/{number}.txt", 10, 0) for number in range(3)])
    with database.write() as revision:
        failed = JobRow.update(revision=revision, status=Status.FAILED, reason_code="file_gone")
        database.run(failed.where(JobRow.id == 1))
    text = collected(sources)[Part.DATABASE]
    assert "PENDING: 2; PROCESSING: 0; PROCESSED: 0; FAILED: 1" in text
    assert "FAILED for “missing”: 1" in text
    assert "Unfinished for local: 2" in text
    assert f"newest script {max(script.stem for script in MIGRATIONS.glob('0*.py'))}" in text
    assert "filemill.db: " in text
    assert "Free on its disk: " in text
    assert "no longer exists" not in text


def test_end_of_the_log(sources: SupportSources) -> None:
    lines = [f"2026-11-24T09:28:11.123Z INFO    [1 x] y: number {number}" for number in range(LOG_RECORDS + 50)]
    log_file(sources.home.logs).write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = collected(sources)[Part.LOG]
    assert text.splitlines() == lines[50:]


def test_missing_log_and_error_are_left_out(sources: SupportSources) -> None:
    assert set(collected(sources)) == {Part.PROGRAM, Part.SETTINGS, Part.DATABASE, Part.CHECKS}


def test_checks_show_successes_and_failures(sources: SupportSources) -> None:
    assert collected(sources)[Part.CHECKS].splitlines() == [
        "✓ Folder [data] can be written",
        "✓ Settings",
        "✓ Database",
    ]

    def broken() -> Settings:
        raise SettingsError("It is not TOML.", detail="line 3")

    text = collected(replace(sources, settings=broken))
    assert "✗ Settings: It is not TOML. line 3" in text[Part.CHECKS]
    assert text[Part.SETTINGS] == "✗ It is not TOML. line 3"
    assert "PENDING: 0" in text[Part.DATABASE]


def test_unreadable_list_does_not_prevent_the_other_parts(
    sources: SupportSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StoreError("It is damaged.")

    for name in ("counts", "ids"):
        monkeypatch.setattr(JobList, name, broken)
    monkeypatch.setattr(ChangeFeed, "cursor", broken)
    text = collected(sources)
    assert text[Part.DATABASE] == "✗ It is damaged."
    assert "✗ Database: It is damaged." in text[Part.CHECKS]
    assert "boto3" in text[Part.PROGRAM]


def test_unknown_disk_space_is_reported(sources: SupportSources, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("shutil.disk_usage", broken)
    assert collected(sources)[Part.DATABASE].endswith("✗ Input/output error")


def test_unreadable_log_is_reported(sources: SupportSources, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("desktop_app.services.support.report.LogTail.read", broken)
    assert collected(sources)[Part.LOG] == "The log can't be read: Permission denied"


def test_queue_is_checked_and_closed(sources: SupportSources) -> None:
    client = FakeClient()
    report = SupportReport(replace(sources, connect=lambda: FakeConnector(client)))
    report.collect()
    text = report.ask_queue().text
    assert "q: a standard queue" in text
    assert "Messages, about: 3 visible, 1 in flight, 0 delayed" in text
    assert "Dead-letter queue: none" in text
    assert client.made("close")


def test_unreachable_queue_is_reported_with_the_cause(sources: SupportSources) -> None:
    connector = FakeConnector(FakeClient())
    connector.trouble = QueueError("No connection.", trouble=QueueTrouble.OFFLINE, detail="EndpointConnectionError")
    report = SupportReport(replace(sources, connect=lambda: connector))
    assert report.ask_queue().text == "✗ No connection. EndpointConnectionError"


def test_connection_is_tested_permission_by_permission(sources: SupportSources) -> None:
    trouble = QueueError("May not.", trouble=QueueTrouble.NO_RIGHT, detail="AccessDenied")
    findings = [
        Finding(Check.SEND, Verdict.FINE, "Can send messages"),
        Finding(Check.RECEIVE, Verdict.TROUBLE, "Can't receive", trouble),
        Finding(Check.DELETE, Verdict.NOTE, "Not looked at"),
    ]
    text = SupportReport(replace(sources, test=lambda _: iter(findings))).ask_queue().text
    assert text.endswith("✓ Can send messages\n✗ Can't receive (AccessDenied)\n– Not looked at")


def test_cancelled_test_ends(sources: SupportSources) -> None:
    def test(should_stop: Callable[[], bool]) -> Iterator[Finding]:
        yield Finding(Check.SEND, Verdict.FINE, str(should_stop()))
        report.stop()
        yield Finding(Check.SEND, Verdict.FINE, str(should_stop()))

    report = SupportReport(replace(sources, test=test))
    assert report.ask_queue().text.endswith("✓ False\n✓ True")


def test_head_lists_what_was_masked(sources: SupportSources) -> None:
    report = SupportReport(sources)
    report.collect()
    assert "Nothing had to be masked." in report.head(names=True)
    report = SupportReport(sources, fault="token: abcdef, 123456789012, /in/x.txt")
    assert report.collect()[0].text == "token: [secret], [account 1], [path]"
    assert "Masked: keys, passwords and tokens (1); account numbers (1)." in report.head(names=True)
    assert "account numbers (1); names and paths of files (1)." in report.head(names=False)
