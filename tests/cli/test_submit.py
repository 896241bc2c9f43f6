"""`filemill submit`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import SendReport
from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.sources.file_list import FileList
from desktop_app.sources.scan import ScanResult

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_app.bootstrap import Program
    from tests.cli.conftest import Cli, JobSetup

not_on_windows = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
LOCAL_HINT = "filemill: The files are processed as soon as the window or `filemill worker` is running.\n"


class Connector:
    """A connector that is never used."""

    def __init__(self) -> None:
        self.closed = 0

    def interrupt(self) -> None:
        """Do nothing: no program provides credentials."""

    def close(self) -> None:
        self.closed += 1


@dataclass
class Sending:
    """Records requests to send to a named queue, and returns the result that the test has set."""

    connector: Connector
    answer: SendReport | BaseException
    deadlines: list[float]

    def send_all(self, program: Program, connector: Connector, *, deadline_s: float) -> SendReport:
        assert connector is self.connector
        assert not connector.closed
        self.deadlines.append(deadline_s)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def sending(monkeypatch: pytest.MonkeyPatch) -> Sending:
    made = Sending(Connector(), SendReport(1, 0), [])
    monkeypatch.setenv("FILEMILL_QUEUE", "my-queue")
    monkeypatch.setattr("desktop_app.bootstrap.connect_queue", lambda *_: made.connector)
    monkeypatch.setattr("desktop_app.bootstrap.send_all", made.send_all)
    return made


def test_added_files_are_on_the_list(tmp_path: Path, cli: Cli, setup: JobSetup) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 3000)
    (tmp_path / "b.txt").write_bytes(b"x" * 400_000)
    outcome = cli("submit", tmp_path / "a.txt", tmp_path / "b.txt")
    assert (outcome.code, outcome.out, outcome.err) == (0, "Added 2 files (403.0 kB).\n", LOCAL_HINT)
    assert setup.names() == ["a.txt", "b.txt"]


def test_hint_is_not_shown_while_a_program_processes_the_files(tmp_path: Path, cli: Cli, setup: JobSetup) -> None:
    (tmp_path / "a.txt").touch()
    with setup.program.identity.serving(setup.program.connection.key):
        assert cli("submit", tmp_path / "a.txt").err == ""
        assert cli("retry", "--failed").err == ""
    (tmp_path / "b.txt").touch()
    assert cli("submit", tmp_path / "b.txt").err == LOCAL_HINT


def test_files_on_the_list_are_skipped_unless_they_have_changed(tmp_path: Path, cli: Cli, setup: JobSetup) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    first = cli("submit", "--json", tmp_path / "a")
    outcome = cli("submit", tmp_path / "a", tmp_path / "b")
    assert (outcome.code, outcome.out) == (0, "Added 1 file (1 B).\n")
    skipped = "1 file on the list already and unchanged: skipped; --duplicates add adds them again."
    assert outcome.complaints[0] == f"filemill: {skipped}"
    assert setup.names() == ["a", "b"]
    again = cli("submit", "--json", tmp_path / "a")
    assert (again.code, [job["id"] for job in again.jobs]) == (0, [job["id"] for job in first.jobs])
    (tmp_path / "a").write_text("changed")
    assert cli("submit", tmp_path / "a").out == "Added 1 file (7 B).\n"


@pytest.mark.parametrize("way", ["option", "setting"])
def test_files_on_the_list_can_be_added_again(tmp_path: Path, cli: Cli, setup: JobSetup, way: str) -> None:
    (tmp_path / "a").touch()
    cli("submit", tmp_path / "a")
    if way == "setting":
        setup.program.home.settings_file.write_text('duplicates = "add"\n')
    outcome = cli("submit", *(["--duplicates", "add"] if way == "option" else []), tmp_path / "a")
    assert outcome.out == "Added 1 file (0 B).\n"
    assert outcome.complaints[0] == "filemill: 1 file on the list already and unchanged: added again."
    assert setup.names() == ["a", "a"]
    assert [batch.name for batch in setup.program.jobs.batches()] == ["a (2)", "a"]


def test_relative_path_is_kept_absolute(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").touch()
    monkeypatch.chdir(tmp_path)
    assert cli("submit", "--json", "a.txt").jobs[0]["file_path"] == str(tmp_path / "a.txt")


def test_json_prints_each_new_job_like_status(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    (tmp_path / "b.txt").write_bytes(b"")
    first = cli("submit", "--json", tmp_path / "a.txt")
    second = cli("submit", tmp_path / "b.txt", "--json")
    assert first.out + second.out == cli("status", "--json").out
    (job,) = first.jobs
    assert list(job) == [
        "id", "file_path", "status", "reason", "lines_count", "file_size", "attempts", "generation", "message_id",
        "created_at", "started_at", "finished_at", "processor", "result",
    ]  # fmt: skip
    assert (job["status"], job["file_size"], job["lines_count"], job["attempts"]) == ("PENDING", 3, None, 0)


def test_folder_requires_recursive(tmp_path: Path, cli: Cli, setup: JobSetup) -> None:
    (tmp_path / "a.txt").touch()
    outcome = cli("submit", tmp_path)
    assert (outcome.code, outcome.out) == (1, "Added 0 files (0 B).\n")
    assert outcome.err == f"filemill: {tmp_path}: This is a folder; add --recursive to include the files in it.\n"
    assert setup.names() == []


def test_recursive_includes_subfolders(tmp_path: Path, cli: Cli, setup: JobSetup) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "a.txt").touch()
    (tmp_path / "in" / "deep" / "b.txt").touch()
    assert cli("submit", "--recursive", tmp_path).code == 0
    assert setup.names() == ["a.txt", "b.txt"]


def test_files_that_can_not_be_added_are_reported_and_the_rest_is_added(
    tmp_path: Path, cli: Cli, setup: JobSetup
) -> None:
    (tmp_path / "good.txt").touch()
    outcome = cli("submit", tmp_path / "gone.txt", "https://x.test/y", tmp_path / "good.txt", "")
    assert outcome.code == 1
    assert outcome.out == "Added 1 file (0 B).\n"
    assert outcome.complaints == [
        f"filemill: {tmp_path / 'gone.txt'}: The file does not exist.",
        "filemill: https://x.test/y: Web addresses can't be added yet; download the file first.",
        "filemill: : The file does not exist.",
        LOCAL_HINT.strip(),
    ]
    assert setup.names() == ["good.txt"]


def test_batch_is_named_after_its_files_or_as_wanted(tmp_path: Path, cli: Cli, setup: JobSetup) -> None:
    for name in ("in/a", "in/b", "in/c", "in/d", "e"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    cli("submit", *(tmp_path / "in" / name for name in "abc"))
    cli("submit", tmp_path / "e", "--name", "last\n")
    cli("submit", "--recursive", "--duplicates", "add", tmp_path / "in")
    names = [batch.name for batch in setup.program.jobs.batches()]
    assert names == ["in", "last\\n", "3 files from in"]


def test_html_in_a_name_stays_text(cli: Cli) -> None:
    outcome = cli("submit", "<b>html</b>")
    assert outcome.err == "filemill: <b>html</b>: The file does not exist.\n"


@not_on_windows
def test_pipe_and_device_are_refused_without_being_opened(tmp_path: Path, cli: Cli) -> None:
    os.mkfifo(tmp_path / "pipe")
    outcome = cli("submit", tmp_path / "pipe", "/dev/zero")
    assert outcome.code == 1
    assert [line.rpartition(": ")[2] for line in outcome.complaints] == [
        "This is a named pipe; only regular files can be processed.",
        "This is a device; only regular files can be processed.",
    ]


@not_on_windows
@pytest.mark.parametrize("name", [b"two\nlines", b"say \"hi\" 'there'", b"caf\xe9", b"<i>x", "ü 文".encode(), b"-x"])
def test_any_name_is_printed_unchanged(tmp_path: Path, cli: Cli, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"1\n")
    outcome = cli("submit", "--json", path)
    assert outcome.code == 0
    assert os.fsencode(outcome.jobs[0]["file_path"]) == os.fsencode(path)
    assert outcome.out.isascii()
    assert cli("status", "--json").out == outcome.out


@not_on_windows
def test_refused_name_can_not_break_the_line(tmp_path: Path, cli: Cli) -> None:
    outcome = cli("submit", tmp_path / "two\nlines\x1b[2J\udce9")
    assert outcome.err == f"filemill: {tmp_path}/two\\nlines\\x1b[2J\\xe9: The file does not exist.\n"


def test_stop_while_looking_adds_nothing(
    tmp_path: Path, cli: Cli, setup: JobSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*args: object, **kwargs: object) -> ScanResult:
        return ScanResult(FileList(), (), cancelled=True)

    monkeypatch.setattr("desktop_app.sources.scan.scan", stopped)
    outcome = cli("submit", tmp_path)
    assert (outcome.code, outcome.out, outcome.err) == (1, "", "filemill: Stopped. Nothing was added.\n")


def test_messages_for_a_named_queue_are_sent_at_once(tmp_path: Path, cli: Cli, sending: Sending) -> None:
    (tmp_path / "a.txt").touch()
    outcome = cli("submit", tmp_path / "a.txt")
    assert (outcome.code, outcome.out, outcome.err) == (0, "Added 1 file (0 B).\n", "")
    assert (len(sending.deadlines), sending.connector.closed) == (1, 1)


def test_nothing_added_sends_nothing(cli: Cli, sending: Sending) -> None:
    assert cli("submit", "gone.txt").code == 1
    assert sending.deadlines == []


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (SendReport(0, 1, "Sign in first."), "Sign in first. The files are saved; their messages will be sent"),
        (SendReport(0, 1), "1 message could not be sent in time; the window or a worker will send them."),
        (QueueError("No region.", trouble=QueueTrouble.SETUP), "No region. The files are saved"),
        (
            SendReport(0, 1, "Can't reach it. Your files stay in the list, and so on."),
            "Your files stay in the list, and so on. Their messages will be sent later.",
        ),
    ],
)
def test_unreachable_queue_is_only_a_warning(
    tmp_path: Path, cli: Cli, sending: Sending, answer: SendReport | BaseException, complaint: str
) -> None:
    (tmp_path / "a.txt").touch()
    sending.answer = answer
    outcome = cli("submit", tmp_path / "a.txt")
    assert (outcome.code, outcome.out) == (0, "Added 1 file (0 B).\n")
    assert len(outcome.complaints) == 1
    assert complaint in outcome.err
    assert sending.connector.closed == 1


def test_ctrl_c_stops_sending_while_a_call_does_not_return(
    tmp_path: Path, cli: Cli, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while the operating system waits for a name server: a signal handler can't run on that thread."""
    (tmp_path / "a.txt").touch()
    may_return = threading.Event()

    def resolve(*_: object, **__: object) -> SendReport:
        os.kill(os.getpid(), signal.SIGINT)
        may_return.wait(60)
        return SendReport(0, 1)

    monkeypatch.setattr("desktop_app.bootstrap.send_all", resolve)
    monkeypatch.setattr("desktop_app.cli.queue_calls.INTERRUPT_SECONDS", 0)
    outcome = cli("submit", tmp_path / "a.txt")
    may_return.set()
    text = "filemill: Stopped. The files are saved; the remaining messages will be sent later.\n"
    assert (outcome.code, outcome.out, outcome.err) == (0, "Added 1 file (0 B).\n", text)


def test_progress_of_a_long_scan_is_shown_on_a_terminal(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").touch()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    outcome = cli("submit", "--recursive", tmp_path)
    assert outcome.code == 0
    assert "Looking" in outcome.err


def test_options_may_be_between_the_names(tmp_path: Path, cli: Cli, setup: JobSetup) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).touch()
    assert cli("submit", tmp_path / "a.txt", "--json", tmp_path / "b.txt").code == 0
    assert setup.names() == ["a.txt", "b.txt"]


def test_name_that_begins_with_a_dash_follows_a_double_dash(
    tmp_path: Path, cli: Cli, setup: JobSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "--json").touch()
    monkeypatch.chdir(tmp_path)
    assert cli("submit", "--", "--json").out == "Added 1 file (0 B).\n"
    assert setup.names() == ["--json"]
