from __future__ import annotations

import ctypes
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.gui.startup import display
from tests.gui.jobs_database import without_display
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINUX = "linux"


def has_display(environment: dict[str, str], platform: str = LINUX) -> bool:
    with display.display(environment, platform) as found:
        return found


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose path is short enough for a socket."""
    return tmp_path_factory.mktemp("d")


@pytest.fixture
def wayland(short: Path) -> Iterator[dict[str, str]]:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(short / "wayland-7"))
    listener.listen()
    yield {"XDG_RUNTIME_DIR": str(short), "WAYLAND_DISPLAY": "wayland-7"}
    listener.close()


def test_windows_and_macos_always_have_one() -> None:
    assert has_display({}, "win32")
    assert has_display({}, "darwin")


def test_no_variable_means_no_display() -> None:
    assert not has_display({}, LINUX)
    assert not has_display({"DISPLAY": "", "WAYLAND_DISPLAY": ""}, LINUX)


@pytest.mark.parametrize("platform", ["offscreen", "minimal", "vnc:size=800x600"])
def test_platforms_without_a_display_are_accepted(platform: str) -> None:
    assert has_display({"QT_QPA_PLATFORM": platform}, LINUX)


@pytest.mark.parametrize("platform", ["xcb", "wayland", "wayland-egl"])
def test_platforms_with_a_display_are_checked(platform: str) -> None:
    assert not has_display({"QT_QPA_PLATFORM": platform}, LINUX)


@pytest.mark.parametrize("name", [":9387", "unix:9387", "localhost:9387.0", "nonsense", ":", ":x"])
def test_x_display_that_does_not_respond_is_none(name: str) -> None:
    assert not has_display({"DISPLAY": name}, LINUX)


def test_wayland_display_that_responds_is_accepted(wayland: dict[str, str]) -> None:
    assert has_display(wayland, LINUX)
    path = str(Path(wayland["XDG_RUNTIME_DIR"]) / "wayland-7")
    assert has_display({"WAYLAND_DISPLAY": path}, LINUX)
    assert not has_display({**wayland, "WAYLAND_DISPLAY": "wayland-8"}, LINUX)


@pytest.mark.parametrize("name", [":9387", "unix:9387.0", "/private/x:9387"])
def test_without_the_library_the_socket_decides(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert not has_display({"DISPLAY": name})
    monkeypatch.setattr(display, "_can_connect", lambda _address: True)
    assert has_display({"DISPLAY": name})


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
def test_real_x_server_is_kept_until_qt_connects() -> None:
    with x_server() as name, display.display({"DISPLAY": name}, LINUX) as found:
        assert found
        # Between the two, a server without clients would reset and not respond.
        assert has_display({"DISPLAY": name})
        assert has_display({"DISPLAY": name})


@contextmanager
def x_server() -> Iterator[str]:
    reader, writer = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "64x64x24"], pass_fds=[writer], stderr=subprocess.DEVNULL
    ) as server:
        os.close(writer)
        with os.fdopen(reader) as answer:
            number = answer.readline().strip()
        try:
            yield f":{number}"
        finally:
            server.terminate()
            server.wait(10)


def run(*words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "desktop_app", *words],
        env={**without_display(), **extra},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_check_does_not_import_qt() -> None:
    """Qt's libraries may be missing without a display, and signals must be handled before they are loaded."""
    code = (
        "import sys, desktop_app.__main__, desktop_app.gui.startup.display, desktop_app.gui.startup.stop_signals\n"
        "print([name for name in sys.modules if name.startswith(('PySide6', 'shiboken6'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.skipif(sys.platform != LINUX, reason="only there it can be missing")
@pytest.mark.parametrize("extra", [{}, {"DISPLAY": ":9387"}])
def test_program_prints_one_sentence_and_exits_with_2(extra: dict[str, str], filemill_home: Path) -> None:
    done = run(**extra)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [display.NO_DISPLAY]
    assert not (filemill_home / "filemill.db").exists()


# --- platforms that Qt can't use, and displays that go away


def window(environment: dict[str, str], home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "desktop_app", str(Path(__file__))],
        env={**without_display(), "FILEMILL_HOME": str(home), "DBUS_SESSION_BUS_ADDRESS": "disabled:", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    def is_met() -> bool:
        assert process.poll() is None, process.communicate()
        return condition()

    wait_until(is_met, 60)


def is_processed(home: Path) -> bool:
    with closing(sqlite3.connect(home / "filemill.db")) as database, suppress(sqlite3.Error):
        return bool(database.execute("SELECT count(*) FROM job WHERE status = 2").fetchone()[0])
    return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != LINUX, reason="elsewhere there is always a display")
@pytest.mark.parametrize("platform", ["nonsense", "nonsense;cocoa", "linuxfb", " "])
def test_unusable_platform_without_a_display_is_one_sentence_each(platform: str, filemill_home: Path) -> None:
    done = run(QT_QPA_PLATFORM=platform)

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"filemill: QT_QPA_PLATFORM is “{platform}”, which does not work here, so it is ignored.",
        display.NO_DISPLAY,
    ]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
def test_unusable_platform_falls_back_to_the_display(tmp_path: Path) -> None:
    with x_server() as name, window({"DISPLAY": name, "QT_QPA_PLATFORM": "nonsense"}, tmp_path) as process:
        wait_for(lambda: (tmp_path / "filemill.db").exists() and is_processed(tmp_path), process)
        process.terminate()
        _, said = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "QT_QPA_PLATFORM is “nonsense”, which does not work here, so it is ignored." in said


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
def test_window_ends_in_order_when_the_x_server_goes_away(tmp_path: Path) -> None:
    with x_server() as name:
        process = window({"DISPLAY": name}, tmp_path)
        wait_for(lambda: (tmp_path / "filemill.db").exists() and is_processed(tmp_path), process)
    with process:
        _, said = process.communicate(timeout=60)

    assert process.returncode == 1
    assert said.splitlines() == [f"filemill: {display.DISPLAY_LOST}"]
    # The program has released its identity and closed the database.
    assert not list((tmp_path / "filemill.db.workers").iterdir())
    assert not list(tmp_path.glob("filemill.db-*"))
