"""One window a list: later starts hand over what they were given."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QLocale, Qt, QTimer
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QWidget

from desktop_app.config.paths import resource
from desktop_app.gui.life.hung_program import birth_of, can_end, end_program
from desktop_app.gui.life.not_answering import Choice, NotAnswering
from desktop_app.gui.life.one_window import become_first, bring_all_forward, bring_forward
from desktop_app.gui.life.second_launch import Outcome, Patience, SecondLaunch, desktop_token
from desktop_app.gui.life.single_instance import Request, SingleInstance, packed, unpacked
from desktop_app.gui.life.window_place import Holder, WindowPlace
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are known for sure on Linux only")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and names")


class Office:
    """A first window without the window."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = self.another()
        self.taken: list[Request] = []
        self.called = 0
        assert self.place.take()
        self.instance = SingleInstance(self.place)

    def another(self, name: str = "jobs.db") -> WindowPlace:
        """The same place, as another program sees it."""
        return WindowPlace(self.folder, self.folder / name)

    def listen(self) -> None:
        self.instance.listen(self.note_call)

    def note_call(self) -> None:
        self.called += 1

    def open(self) -> None:
        self.listen()
        self.instance.open_to(self.taken.append)


@pytest.fixture
def office(tmp_path: Path, qtbot: QtBot) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.instance.close()


class Later(threading.Thread):
    """A later start, on a thread, since the first window needs the main one."""

    def __init__(self, place: WindowPlace, request: Request, patience: Patience | None = None) -> None:
        super().__init__()
        self.place = place
        self.launch = SecondLaunch(place, request, patience)
        self.outcome: Outcome | None = None
        self.start()

    def run(self) -> None:
        self.outcome = self.launch.run()


def test_names_arrive_as_they_were_given(office: Office, qtbot: QtBot) -> None:
    names = ("/in/a.txt", "/in/naïve \n.txt", "/in/\udcff\udc80.txt", "https://example.org/x?y=1", "file:///in/%FF")
    office.open()
    later = Later(office.another(), Request(names, "token"))
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    assert office.taken == [Request(names, "token")]


def test_ten_thousand_names_arrive(office: Office, qtbot: QtBot) -> None:
    names = tuple(f"/some/where/in/a/deep/folder/of/mine/file number {number}.txt" for number in range(10_000))
    office.open()
    later = Later(office.another(), Request(names))
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    assert office.taken == [Request(names)]


def test_what_comes_while_there_is_no_window_waits_for_it(office: Office, qtbot: QtBot) -> None:
    office.listen()
    later = Later(office.another(), Request(("/in/a.txt",)), Patience(silent_s=0.1))
    qtbot.waitUntil(lambda: office.called == 1)
    assert later.outcome is None
    office.instance.open_to(office.taken.append)
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    assert office.taken == [Request(("/in/a.txt",))]


def test_place_of_a_first_that_gives_up_goes_to_who_waited(office: Office, qtbot: QtBot) -> None:
    office.listen()
    later = Later(office.another(), Request(("/in/a.txt",)))
    qtbot.waitUntil(lambda: office.called == 1)
    office.instance.close()
    qtbot.waitUntil(lambda: later.outcome is Outcome.FIRST)
    later.place.give_up()
    assert office.taken == []


def test_address_without_its_program_is_no_window(tmp_path: Path, qtbot: QtBot) -> None:
    crashed = Office(tmp_path)
    crashed.open()
    address = crashed.place.holder()
    assert address is not None
    crashed.place._lock.release()  # as the system does when a program is killed; the socket and the address stay
    instance = become_first(crashed.another(), Request())
    assert isinstance(instance, SingleInstance)
    again = instance._place.holder()
    assert again is None or again.started_at >= address.started_at
    instance.close()
    crashed.instance.close()


def test_who_keeps_silent_is_told_from_who_is_slow(office: Office, qtbot: QtBot) -> None:
    """It has a window but its main thread does not come to it: no event loop runs here."""
    office.open()
    asked = SecondLaunch(office.another(), Request(("/in/a.txt",)), Patience(silent_s=0.2))
    assert asked.run() is Outcome.SILENT
    assert office.taken == []


def test_who_never_says_where_it_is_keeps_silent(office: Office) -> None:
    assert SecondLaunch(office.another(), Request(), Patience(starting_s=0.1)).run() is Outcome.SILENT


def test_who_is_told_to_end_does_not_go_on_waiting(office: Office) -> None:
    answers = [False, False, True]
    asked = SecondLaunch(office.another(), Request(), is_stopped=lambda: answers.pop(0))
    assert asked.run() is Outcome.STOPPED
    office.open()
    answers = [False, False, False, True]
    assert asked.run() is Outcome.STOPPED
    again = SecondLaunch(office.another(), Request(), is_stopped=lambda: answers.pop(0))
    assert again.run() is Outcome.STOPPED
    assert office.taken == []


def test_lists_are_independent(office: Office) -> None:
    office.open()
    other = office.another("other.db")
    assert other.name != office.place.name
    assert SecondLaunch(other, Request()).run() is Outcome.FIRST
    other.give_up()


@pytest.mark.expected_log("something else than Filemill")
@pytest.mark.parametrize("data", [b"\xff" * 20, packed(Request())[:8] + b"x" * 40, (2).to_bytes(8, "big") + b"[]"])
def test_other_programs_are_not_obeyed(office: Office, qtbot: QtBot, data: bytes) -> None:
    office.open()
    holder = office.place.holder()
    assert holder is not None
    stranger = QLocalSocket()
    stranger.connectToServer(holder.address)
    with qtbot.waitSignal(stranger.disconnected):
        stranger.write(data)
    assert office.taken == []


@POSIX
def test_only_the_user_may_speak_to_the_window(office: Office) -> None:
    office.open()
    holder = office.place.holder()
    assert holder is not None
    assert Path(holder.address).stat().st_mode & 0o077 == 0
    office.instance.close()
    assert not Path(holder.address).exists()
    assert office.place.holder() is None


@POSIX
def test_long_home_gets_a_socket_elsewhere(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    office = Office(folder)
    office.open()
    later = Later(office.another(), Request(("/in/a.txt",)))
    qtbot.waitUntil(lambda: later.outcome is Outcome.HANDED_OVER)
    holder = office.place.holder()
    assert holder is not None
    office.instance.close()
    assert not Path(holder.address).parent.exists()


def test_request_in_pieces_is_waited_for() -> None:
    whole = packed(Request(("/in/a.txt",)))
    assert [unpacked(whole[:length]) for length in (0, 7, 8, len(whole) - 1)] == [None] * 4
    assert unpacked(whole) == Request(("/in/a.txt",))


@pytest.mark.parametrize("text", ["", "no", "[]", '{"address": 1, "pid": 1, "started_at": 1}', '{"x": 1}'])
def test_address_that_is_none_is_passed_over(tmp_path: Path, text: str) -> None:
    place = WindowPlace(tmp_path, tmp_path / "jobs.db")
    (tmp_path / f"{place.name}.json").write_text(text)
    assert place.holder() is None


# --- the one that does not answer


def sleeper() -> subprocess.Popen[bytes]:
    """A program that hears no SIGTERM, as one that hangs."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@ON_LINUX
@pytest.mark.expected_log("which did not answer .SIGKILL")
def test_program_that_hangs_can_be_ended(qtbot: QtBot) -> None:
    with sleeper() as process:
        birth = birth_of(process.pid)
        assert can_end(process.pid, birth)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("desktop_app.gui.life.hung_program._ORDERLY_SECONDS", 0.1)
            assert end_program(process.pid, birth)
        assert process.wait(5) == -signal.SIGKILL


@ON_LINUX
def test_another_program_with_that_number_is_left_alone() -> None:
    with sleeper() as process:
        birth = birth_of(process.pid)
        for wrong in ("", birth_of(os.getpid()), f"{birth}0", birth.replace("-", "+")):
            assert not can_end(process.pid, wrong)
            assert not end_program(process.pid, wrong)
        assert process.poll() is None
        process.kill()
        process.wait()
    assert not can_end(process.pid, birth)
    assert birth_of(process.pid) == ""


@ON_LINUX
def test_dialog_offers_to_end_only_what_is_known_for_sure(qtbot: QtBot) -> None:
    me = Holder("x", os.getpid(), 1_793_000_000_000, birth_of(os.getpid()), is_open=True)
    sure = NotAnswering(me, QLocale("en_US"))
    qtbot.addWidget(sure)
    assert [button.text() for button in sure.buttons()] == ["Wait", "Cancel", "End It and Start"]
    assert sure.text() == "Filemill is running but does not answer."
    assert f"process {os.getpid()}" in sure.informativeText()
    assert "Ending it is safe" in sure.informativeText()
    for unsure in (None, Holder("x", os.getpid(), 1_793_000_000_000, "of old")):
        dialog = NotAnswering(unsure, QLocale("en_US"))
        qtbot.addWidget(dialog)
        assert [button.text() for button in dialog.buttons()] == ["Wait", "Cancel"]
        assert "safe" not in dialog.informativeText()


@pytest.mark.parametrize(
    ("key", "choice"),
    [(Qt.Key.Key_Return, Choice.WAIT), (Qt.Key.Key_Escape, Choice.CANCEL), ("End It and Start", Choice.END_IT)],
)
@ON_LINUX
def test_dialog_can_be_answered(qtbot: QtBot, key: Qt.Key | str, choice: Choice) -> None:
    dialog = NotAnswering(Holder("x", os.getpid(), 0, birth_of(os.getpid())), QLocale("en_US"))
    qtbot.addWidget(dialog)

    def answer() -> None:
        if isinstance(key, str):
            (button,) = [one for one in dialog.buttons() if one.text() == key]
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        else:
            QTest.keyClick(dialog, key)

    QTimer.singleShot(0, answer)
    assert dialog.choose() is choice


def test_who_is_not_waited_for_any_more_gives_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Choice.WAIT, Choice.END_IT, Choice.CANCEL]
    monkeypatch.setattr(NotAnswering, "choose", lambda _dialog: answers.pop(0))
    monkeypatch.setattr(SecondLaunch, "run", lambda _launch: Outcome.SILENT)
    monkeypatch.setattr("desktop_app.gui.life.one_window.end_program", lambda pid, _birth: ended.append(pid))
    ended: list[int] = []
    office.listen()
    assert become_first(office.another(), Request()) is Outcome.SILENT
    assert (answers, ended) == ([], [os.getpid()])


# --- coming forward


def test_minimized_window_comes_back(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)
    window = QWidget()
    qtbot.addWidget(window)
    window.showMinimized()
    bring_forward(window, "let me")
    assert not window.isMinimized()
    qtbot.waitUntil(window.isActiveWindow)
    assert os.environ.pop("XDG_ACTIVATION_TOKEN") == "let me"


def test_dialog_comes_forward_while_there_is_no_window(qtbot: QtBot) -> None:
    dialog, other = QDialog(), QWidget()
    for widget in (dialog, other):
        qtbot.addWidget(widget)
    dialog.show()
    bring_all_forward()
    qtbot.waitUntil(dialog.isActiveWindow)
    assert not other.isVisible()


def test_token_of_the_desktop_is_used_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "a")
    monkeypatch.setenv("DESKTOP_STARTUP_ID", "b")
    assert [desktop_token(), desktop_token()] == ["a", "b"]


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
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT file_path, raw_path FROM job ORDER BY id").fetchall()
    except sqlite3.OperationalError:  # it is not there yet
        return []


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


@POSIX
def test_twenty_starts_at_once_make_one_window_with_all_files(filemill_home: Path, tmp_path: Path) -> None:
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


@POSIX
def test_second_start_hands_over_and_a_killed_window_is_followed_by_a_new_one(
    filemill_home: Path, tmp_path: Path
) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff\xfe.txt"
    Path(os.fsdecode(odd)).write_bytes(b"x")
    database = filemill_home / "filemill.db"
    first = start()
    wait_until(lambda: any((filemill_home / "run").glob("window-*.json")), 30)
    second = start(b"\xff\xfe.txt", cwd=tmp_path)
    _, errors = second.communicate(timeout=60)
    assert (second.returncode, errors) == (0, "")
    wait_until(lambda: [raw for _, raw in listed(database)] == [odd], 30, "the odd name is there")
    first.kill()
    first.communicate()
    third = start()
    wait_until(lambda: third.poll() is not None or holder_pid(filemill_home) == third.pid, 60, "a new window")
    assert third.poll() is None
    elsewhere = start(home=tmp_path / "other home")
    wait_until(lambda: holder_pid(tmp_path / "other home") == elsewhere.pid, 60, "a window of another list")
    end(elsewhere)
    end(third)


def holder_pid(home: Path) -> int:
    place = WindowPlace(home / "run", home / "filemill.db")
    holder = place.holder()
    return holder.pid if holder is not None and holder.is_open else 0


def test_place_is_of_this_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = WindowPlace(tmp_path, tmp_path / "jobs.db")
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    assert WindowPlace(tmp_path, tmp_path / "jobs.db").name != here.name
