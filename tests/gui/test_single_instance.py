"""One window per list: later starts hand over their arguments."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QLocale, Qt, QTimer
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QWidget

from desktop_app.config.paths import resource
from desktop_app.gui.startup import instance_lock, single_instance
from desktop_app.gui.startup.dialogs import NotRespondingChoice, NotRespondingDialog
from desktop_app.gui.startup.instance_lock import InstanceLock
from desktop_app.gui.startup.single_instance import (
    InstanceClient,
    InstanceServer,
    Outcome,
    Request,
    activate,
    activate_open_dialogs,
    become_first_instance,
    serve_later_instances,
    write_request,
)
from desktop_app.window_app import activation_token
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are known for sure on Linux only")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and names")


def never() -> bool:
    return False


class FirstInstance:
    """A first instance without a window."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = self.another()
        self.received: list[Request] = []
        assert self.lock.try_lock()
        self.server = InstanceServer(self.lock)

    def another(self, name: str = "jobs.db") -> InstanceLock:
        """Return the same lock as another program sees it."""
        return InstanceLock(self.folder, self.folder / name)

    def open(self) -> None:
        self.server.listen()
        self.server.set_handler(self.received.append)


@pytest.fixture
def first(tmp_path: Path, qtbot: QtBot) -> Iterator[FirstInstance]:
    made = FirstInstance(tmp_path)
    yield made
    made.server.close()


@pytest.fixture
def activations(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Record each call that raises the open dialogs."""
    calls: list[None] = []
    monkeypatch.setattr(single_instance, "activate_open_dialogs", lambda: calls.append(None))
    return calls


class LaterStart(threading.Thread):
    """A later start, on a thread because the first instance needs the main thread."""

    def __init__(self, lock: InstanceLock, request: Request) -> None:
        super().__init__()
        self.lock = lock
        self.client = InstanceClient(lock, request, self._should_stop)
        self.outcome: Outcome | None = None
        self.rounds = 0
        self.start()

    def run(self) -> None:
        self.outcome = self.client.run()

    def _should_stop(self) -> bool:
        self.rounds += 1
        return False


def test_names_arrive_as_they_were_given(first: FirstInstance, qtbot: QtBot) -> None:
    names = ("/in/a.txt", "/in/naïve \n.txt", "/in/\udcff\udc80.txt", "https://example.org/x?y=1", "file:///in/%FF")
    first.open()
    later = LaterStart(first.another(), Request(names, "token"))
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    assert first.received == [Request(names, "token")]


def test_ten_thousand_names_arrive(first: FirstInstance, qtbot: QtBot) -> None:
    names = tuple(f"/some/where/in/a/deep/folder/of/mine/file number {number}.txt" for number in range(10_000))
    first.open()
    later = LaterStart(first.another(), Request(names))
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    assert first.received == [Request(names)]


def test_requests_before_the_window_opens_wait_for_it(
    first: FirstInstance, qtbot: QtBot, activations: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first.server.listen()
    later = LaterStart(first.another(), Request(("/in/a.txt",)))
    qtbot.waitUntil(lambda: len(activations) == 1)
    for respond_s in (8.0, -1.0):  # by the second pass it has read `wait` and no longer times out
        monkeypatch.setattr(single_instance, "RESPOND_SECONDS", respond_s)
        rounds = later.rounds
        qtbot.waitUntil(lambda rounds=rounds: later.rounds > rounds + 1)  # type: ignore[misc]
    assert later.outcome is None
    first.server.set_handler(first.received.append)
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    assert first.received == [Request(("/in/a.txt",))]


def test_requests_wait_for_the_first_instance_to_listen(tmp_path: Path, qtbot: QtBot) -> None:
    """It takes the lock before the first paint, and listens after it."""
    lock = InstanceLock(tmp_path, tmp_path / "jobs.db")
    assert lock.try_lock()
    later = LaterStart(InstanceLock(tmp_path, tmp_path / "jobs.db"), Request(("/in/a.txt",)))
    qtbot.waitUntil(lambda: later.rounds > 1)
    assert later.outcome is None
    received: list[Request] = []
    server = serve_later_instances(lock)
    server.set_handler(received.append)
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    assert received == [Request(("/in/a.txt",))]
    server.close()


def test_lock_of_a_first_instance_that_gives_up_goes_to_the_waiting_one(
    first: FirstInstance, qtbot: QtBot, activations: list[None]
) -> None:
    first.server.listen()
    later = LaterStart(first.another(), Request(("/in/a.txt",)))
    qtbot.waitUntil(lambda: len(activations) == 1)
    first.server.close()
    qtbot.waitUntil(lambda: later.outcome is Outcome.FIRST)
    later.lock.release()
    assert first.received == []


def finished_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize(
    "holder",
    [
        "{finished}\n{gone}",
        "{own}\n{gone}",  # its process ID now belongs to another program
        "",  # power failed before it was written
    ],
)
@POSIX
def test_lock_and_address_without_their_program_are_no_instance(tmp_path: Path, qtbot: QtBot, holder: str) -> None:
    lock = InstanceLock(tmp_path, tmp_path / "jobs.db")
    lock.file.touch()
    left_behind = holder.format(finished=finished_pid(), own=os.getpid(), gone=tmp_path / "gone")
    lock.file.with_suffix(".holder").write_text(left_behind)
    assert become_first_instance(lock, Request(), never) is Outcome.FIRST
    server = serve_later_instances(lock)
    assert lock.address() == ""
    qtbot.waitUntil(lambda: lock.address() != "")
    assert lock.holder_pid() == os.getpid()
    server.close()


def test_leftover_socket_is_replaced(tmp_path: Path, qtbot: QtBot) -> None:
    killed = FirstInstance(tmp_path)
    killed.open()
    assert killed.lock._lock is not None
    killed.lock._lock.release()  # as the system does when a program is killed: socket and address stay
    lock = killed.another()
    assert become_first_instance(lock, Request(), never) is Outcome.FIRST
    server = serve_later_instances(lock)
    received: list[Request] = []
    server.set_handler(received.append)
    qtbot.waitUntil(lambda: lock.address() != "")
    later = LaterStart(killed.another(), Request(("/in/a.txt",)))
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    assert (killed.received, received) == ([], [Request(("/in/a.txt",))])
    server.close()
    killed.server.close()


def test_lock_in_use_is_kept_whatever_its_age(first: FirstInstance) -> None:
    os.utime(first.lock.file, (1, 1))
    assert not first.another().try_lock()
    assert first.lock.file.exists()


def test_hung_instance_is_distinguished_from_a_slow_one(
    first: FirstInstance, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It listens, but its main thread is blocked: no event loop runs here."""
    monkeypatch.setattr(single_instance, "RESPOND_SECONDS", 0.2)
    first.open()
    client = InstanceClient(first.another(), Request(("/in/a.txt",)), never)
    assert client.run() is Outcome.NOT_RESPONDING
    assert first.received == []


def test_instance_that_responds_again_continues_though_the_other_has_given_up(
    first: FirstInstance, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.open()
    respond_s = single_instance.RESPOND_SECONDS
    monkeypatch.setattr(single_instance, "RESPOND_SECONDS", 0.2)
    for name in ("a", "b"):
        given_up = InstanceClient(first.another(), Request((name,)), never)
        assert given_up.run() is Outcome.NOT_RESPONDING
    monkeypatch.setattr(single_instance, "RESPOND_SECONDS", respond_s)
    later = LaterStart(first.another(), Request(("c",)))
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    assert first.received[-1] == Request(("c",))


def test_instance_that_never_listens_does_not_respond(first: FirstInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_instance, "START_SECONDS", 0.1)
    assert InstanceClient(first.another(), Request(), never).run() is Outcome.NOT_RESPONDING


class StopAfter:
    """Asks to stop from the given call on."""

    def __init__(self, questions: int) -> None:
        self._left = questions

    def __call__(self) -> bool:
        self._left -= 1
        return self._left < 0


def test_instance_that_is_stopped_does_not_keep_waiting(first: FirstInstance) -> None:
    assert InstanceClient(first.another(), Request(), StopAfter(2)).run() is Outcome.STOPPED
    first.open()
    for questions in (1, 2, 3):
        assert InstanceClient(first.another(), Request(), StopAfter(questions)).run() is Outcome.STOPPED
    assert first.received == []


def test_lists_are_independent(first: FirstInstance) -> None:
    first.open()
    other = first.another("other.db")
    assert other.name != first.lock.name
    assert InstanceClient(other, Request(), never).run() is Outcome.FIRST
    other.release()


def test_unwritable_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(OSError, match="run"):
        InstanceLock(tmp_path / "run", tmp_path / "jobs.db").try_lock()


class OtherProgram(QLocalSocket):
    """Another program of the user that connects to the window."""

    def __init__(self, first: FirstInstance) -> None:
        super().__init__()
        self.connectToServer(first.lock.address())
        assert self.waitForConnected()


@pytest.mark.expected_log("invalid request")
@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"\xff" * 20 + b"\n",
        b"x" * 200_001,
        b"[]\n",
        b'{"names": [1], "token": "x"}\n',
        b"[" * 100_000 + b"\n",
        b'{"names": [], "token": "\\ud800"}\n',
        b'{"names": [], "token": "\\u0000"}\n',
    ],
)
def test_other_programs_are_not_obeyed(
    first: FirstInstance, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(single_instance, "MAX_REQUEST_BYTES", 200_000)
    first.open()
    other_program = OtherProgram(first)
    with qtbot.waitSignal(other_program.disconnected):
        other_program.write(data)
    assert first.received == []


def test_request_in_several_parts_is_waited_for(first: FirstInstance, qtbot: QtBot) -> None:
    first.open()
    whole = b'{"names": ["/in/a.txt"], "token": ""}\n'
    other_program = OtherProgram(first)
    for piece in (whole[:7], whole[7:8], whole[8:-1]):
        other_program.write(piece)
        assert other_program.waitForBytesWritten()
        qtbot.wait(1)
        assert first.received == []
    with qtbot.waitSignal(other_program.readyRead):
        other_program.write(whole[-1:])
    assert first.received == [Request(("/in/a.txt",))]
    assert other_program.readAll().data() == b"taken\n"


def test_several_requests_of_one_connection_are_all_handled(first: FirstInstance, qtbot: QtBot) -> None:
    first.open()
    other_program = OtherProgram(first)
    for name in ("a", "b"):
        write_request(other_program, Request((name,)))
        other_program.flush()
        qtbot.waitUntil(lambda name=name: first.received[-1:] == [Request((name,))])  # type: ignore[misc]


@POSIX
def test_only_the_user_may_connect_to_the_window(first: FirstInstance) -> None:
    first.open()
    address = Path(first.lock.address())
    assert address.stat().st_mode & 0o077 == 0
    first.server.close()
    assert not address.exists()
    assert first.lock.address() == ""
    assert first.another().try_lock()


@POSIX
def test_long_home_gets_a_socket_elsewhere(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    first = FirstInstance(folder)
    first.open()
    later = LaterStart(first.another(), Request(("/in/a.txt",)))
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    address = Path(first.lock.address())
    first.server.close()
    assert not address.parent.exists()


@ON_LINUX
def test_home_whose_name_is_not_utf8_has_a_lock_as_well(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    first = FirstInstance(folder)
    first.open()
    assert first.lock.file.exists()
    later = LaterStart(first.another(), Request(("/in/a.txt",)))
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    first.server.close()
    assert set(folder.iterdir()) <= {first.lock.file}


def test_server_that_was_closed_before_the_event_loop_does_not_listen(tmp_path: Path, qtbot: QtBot) -> None:
    lock = InstanceLock(tmp_path, tmp_path / "jobs.db")
    assert become_first_instance(lock, Request(), never) is Outcome.FIRST
    server = serve_later_instances(lock)
    server.close()
    server.listen()
    assert lock.address() == ""
    assert lock.try_lock()
    lock.release()


# --- the one that does not respond


HOLD = """
import signal, sys
from pathlib import Path
from desktop_app.gui.startup.instance_lock import InstanceLock
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = InstanceLock(Path(sys.argv[1]), Path(sys.argv[2]))
print(lock.try_lock(), flush=True)
signal.pause()
"""


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[tuple[InstanceLock, subprocess.Popen[bytes]]]:
    """Return a lock and the program that holds it, which ignores SIGTERM."""
    lock = InstanceLock(tmp_path, tmp_path / "jobs.db")
    command = [sys.executable, "-c", HOLD, str(tmp_path), str(tmp_path / "jobs.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"
        yield lock, process
        process.kill()


@ON_LINUX
@pytest.mark.expected_log("which did not respond .SIGKILL")
def test_hung_program_can_be_stopped(
    hung: tuple[InstanceLock, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, process = hung
    assert lock.holder_pid() == process.pid
    assert lock.can_stop_holder()
    monkeypatch.setattr(instance_lock, "_TERMINATE_SECONDS", 0.1)
    lock.stop_holder()
    assert process.wait(5) == -signal.SIGKILL
    assert not lock.can_stop_holder()
    assert lock.try_lock()
    lock.release()


@ON_LINUX
def test_another_program_with_that_process_id_is_left_alone(
    hung: tuple[InstanceLock, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    lock, process = hung
    copy = InstanceLock(tmp_path, tmp_path / "other.db")
    copy.file.touch()
    holder = lock.file.with_suffix(".holder").read_bytes()
    copy.file.with_suffix(".holder").write_bytes(holder)  # names a process that does not hold this lock
    assert copy.holder_pid() == process.pid
    assert not copy.can_stop_holder()
    copy.stop_holder()
    assert process.poll() is None


@ON_LINUX
def test_dialog_offers_to_stop_only_a_confirmed_process(qtbot: QtBot) -> None:
    english = QLocale("en_US")
    sure = NotRespondingDialog(4711, 1_793_000_000_000, can_stop=True, locale=english)
    qtbot.addWidget(sure)
    assert [button.text() for button in sure.buttons()] == ["Wait", "Cancel", "Stop and Restart"]
    assert sure.text() == "Filemill is running but not responding."
    assert "process ID is 4711" in sure.informativeText()
    assert "Stopping it is safe" in sure.informativeText()
    for pid in (None, 4711):
        dialog = NotRespondingDialog(pid, 1_793_000_000_000, can_stop=False, locale=english)
        qtbot.addWidget(dialog)
        assert [button.text() for button in dialog.buttons()] == ["Wait", "Cancel"]
        assert "safe" not in dialog.informativeText()


@pytest.mark.parametrize(
    ("key", "choice"),
    [
        (Qt.Key.Key_Return, NotRespondingChoice.WAIT),
        (Qt.Key.Key_Escape, NotRespondingChoice.CANCEL),
        ("Stop and Restart", NotRespondingChoice.STOP),
    ],
)
def test_dialog_can_be_answered(qtbot: QtBot, key: Qt.Key | str, choice: NotRespondingChoice) -> None:
    dialog = NotRespondingDialog(4711, 0, can_stop=True, locale=QLocale())
    qtbot.addWidget(dialog)

    def answer() -> None:
        if isinstance(key, str):
            (button,) = [one for one in dialog.buttons() if one.text() == key]
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        else:
            QTest.keyClick(dialog, key)

    QTimer.singleShot(0, answer)
    assert dialog.choose() is choice


def test_start_gives_up_when_waiting_is_cancelled(first: FirstInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [NotRespondingChoice.WAIT, NotRespondingChoice.STOP, NotRespondingChoice.CANCEL]
    ended: list[int | None] = []
    monkeypatch.setattr(NotRespondingDialog, "choose", lambda _dialog: answers.pop(0))
    monkeypatch.setattr(InstanceClient, "run", lambda _client: Outcome.NOT_RESPONDING)
    monkeypatch.setattr(InstanceLock, "stop_holder", lambda lock: ended.append(lock.holder_pid()))
    assert become_first_instance(first.another(), Request(), never) is Outcome.NOT_RESPONDING
    assert (answers, ended) == ([], [os.getpid()])


# --- coming to the front


def test_minimized_window_is_restored(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)
    window = QWidget()
    qtbot.addWidget(window)
    window.showMinimized()
    activate(window, "let me")
    assert not window.isMinimized()
    qtbot.waitUntil(window.isActiveWindow)
    assert os.environ.pop("XDG_ACTIVATION_TOKEN") == "let me"


def test_dialog_comes_to_the_front_while_there_is_no_window(qtbot: QtBot) -> None:
    dialog, other = QDialog(), QWidget()
    for widget in (dialog, other):
        qtbot.addWidget(widget)
    dialog.show()
    activate_open_dialogs()
    qtbot.waitUntil(dialog.isActiveWindow)
    assert not other.isVisible()


def test_activation_token_is_used_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "a")
    monkeypatch.setenv("DESKTOP_STARTUP_ID", "b")
    assert [activation_token(), activation_token()] == ["a", "b"]


# --- whole programs


def start(*words: str | bytes, cwd: Path | None = None, home: Path | None = None) -> subprocess.Popen[str]:
    root = resource("samples").parent.parent
    more = {"FILEMILL_HOME": str(home)} if home is not None else {}
    return subprocess.Popen(
        [sys.executable, "-m", "desktop_app", *words],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(root), **more},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def listed(database: Path) -> list[tuple[str, bytes | None]]:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT file_path, raw_path FROM job ORDER BY id").fetchall()
    except sqlite3.OperationalError:  # it does not exist yet
        return []


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.slow
@POSIX
def test_twenty_starts_at_once_open_one_window_with_all_files(filemill_home: Path, tmp_path: Path) -> None:
    names = [f"file{number}.txt" for number in range(20)]
    for name in names:
        (tmp_path / name).write_text(name)
    programs = [start(name, cwd=tmp_path) for name in names]
    database = filemill_home / "filemill.db"
    wait_until(lambda: sum(one.poll() is None for one in programs) == 1, 90, "one is left")
    wait_until(lambda: len(listed(database)) == len(names), 30, "all files are there")
    (window,) = [one for one in programs if one.poll() is None]
    for program in programs:
        if program is not window:
            _, errors = program.communicate()
            assert (program.returncode, errors) == (0, "")
    assert sorted(path for path, _ in listed(database)) == sorted(str(tmp_path / name) for name in names)
    end(window)


@pytest.mark.slow
@POSIX
def test_second_start_passes_its_paths_on_and_a_killed_window_is_followed_by_a_new_one(
    filemill_home: Path, tmp_path: Path
) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff\xfe.txt"
    Path(os.fsdecode(odd)).write_bytes(b"x")
    database = filemill_home / "filemill.db"
    first = start()
    wait_until(lambda: pid_of_window(filemill_home) == first.pid, 30)
    second = start(b"\xff\xfe.txt", cwd=tmp_path)
    _, errors = second.communicate(timeout=120)
    assert (second.returncode, errors) == (0, "")
    wait_until(lambda: [raw for _, raw in listed(database)] == [odd], 30, "the odd name is there")
    first.kill()
    first.communicate()
    third = start()
    wait_until(lambda: third.poll() is not None or pid_of_window(filemill_home) == third.pid, 60, "a new window")
    assert third.poll() is None
    elsewhere = start(home=tmp_path / "other home")
    wait_until(lambda: pid_of_window(tmp_path / "other home") == elsewhere.pid, 60, "a window of another list")
    end(elsewhere)
    end(third)


def pid_of_window(home: Path) -> int:
    """Return the process ID of the open window; 0 if there is none."""
    lock = InstanceLock(home / "run", home / "filemill.db")
    return lock.holder_pid() or 0 if lock.address() else 0


def test_lock_is_of_this_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = InstanceLock(tmp_path, tmp_path / "jobs.db")
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    assert InstanceLock(tmp_path, tmp_path / "jobs.db").name != here.name
