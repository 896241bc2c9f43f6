"""Fixtures and hooks for all tests: no display, an empty home folder, no network but loopback, no warnings."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import signal
import socket
import sqlite3
import sys
import threading
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from pytestqt.qtbot import QtBot

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.wait_signal import SignalBlocker

# This is set before anything imports Qt: Qt warns about a locale that is not UTF-8, and its warnings fail the test.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if sys.platform == "linux":
    os.environ["LC_ALL"] = "C.UTF-8"

# A program started with `nohup`, or in the background by a script, ignores these signals, and so do its children. A
# handler, unlike SIG_IGN, is not inherited.
for _name in ("SIGHUP", "SIGINT"):
    if hasattr(signal, _name) and signal.getsignal(getattr(signal, _name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, _name), lambda *_: None)

# No test may use the keyring of the person who runs it.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

_FOREIGN_PREFIXES = ("AWS_", "FILEMILL_")
_PROXY_VARIABLES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy"})
_ENDING_SECONDS = 10.0
_WAITING_MS = 30_000


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "expected_log(pattern, level='WARNING', required=True): log records of this level whose message matches the "
        "regular expression are expected; with required=True the test fails if there is none. May be repeated.",
    )
    config.addinivalue_line("markers", "slow: takes seconds: starts programs, kills them, or tries very many cases.")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one and a half times the number of processors, since tests spend a third of their time waiting."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return (3 * processors + 1) // 2


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """Escape characters of a test's output that are not UTF-8, which pytest-xdist can't send."""
    data = yield
    return data and _escaped(data)


def _escaped(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_escaped(key): _escaped(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(map(_escaped, value))
    return value


class _TrackedConnection(sqlite3.Connection):
    """An SQLite connection that records where it was opened, until it is closed."""

    opened: ClassVar[dict[_TrackedConnection, tuple[threading.Thread, str]]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        frames = traceback.StackSummary.extract(traceback.walk_stack(sys._getframe(1)), limit=12, lookup_lines=False)
        ours = [f"{frame.filename}:{frame.lineno}" for frame in frames if "site-packages" not in frame.filename]
        self.opened[self] = threading.current_thread(), " < ".join(ours)

    def close(self) -> None:
        super().close()
        self.opened.pop(self, None)


@pytest.fixture(autouse=True)
def closed_connections() -> Iterator[None]:
    """Fail a test that leaves an SQLite connection open on any thread.

    Otherwise, the garbage collector closes the connection during a later test, which then fails.
    """
    before = set(_TrackedConnection.opened)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=_TrackedConnection))
        yield

    def left() -> list[tuple[threading.Thread, str]]:
        return [opener for connection, opener in list(_TrackedConnection.opened.items()) if connection not in before]

    deadline = time.monotonic() + _ENDING_SECONDS
    while any(thread is not threading.current_thread() and thread.is_alive() for thread, _ in left()):
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)  # it may be about to end
    if left():
        places = "\n".join(f"  on {thread.name} at {place}" for thread, place in left())
        pytest.fail(f"SQLite connections left open:\n{places}", pytrace=False)


class _PatientQtBot(QtBot):
    """A `QtBot` with timeouts for a busy machine. A test does not wait longer than necessary."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = _WAITING_MS) -> None:  # noqa: N802 - Qt's
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = _WAITING_MS, **options: Any) -> SignalBlocker:  # noqa: N802
        return super().waitSignal(signal, timeout=timeout, **options)

    def waitExposed(self, widget: Any, *, timeout: int = _WAITING_MS) -> Any:  # noqa: N802
        return super().waitExposed(widget, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    return _PatientQtBot(request)


@pytest.fixture(autouse=True)
def isolated_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create an empty home folder, and remove AWS, Filemill and proxy variables.

    The folder is not inside `tmp_path`, which stays empty for the test.
    """
    for name in list(os.environ):
        if name.startswith(_FOREIGN_PREFIXES) or name.lower() in _PROXY_VARIABLES:
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    for name, folder in {
        "HOME": "",
        "USERPROFILE": "",
        "XDG_CACHE_HOME": ".cache",
        "XDG_CONFIG_HOME": ".config",
        "XDG_DATA_HOME": ".local/share",
        "XDG_STATE_HOME": ".local/state",
        "XDG_RUNTIME_DIR": "run",
        "FILEMILL_HOME": "filemill",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    (home / "run").mkdir(mode=0o700)
    # Without credentials, boto3 would ask the network whether this computer is an EC2 instance.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return home


@pytest.fixture
def filemill_home(isolated_environment: Path) -> Path:
    """Return the folder that FILEMILL_HOME names; it does not exist yet."""
    return isolated_environment / "filemill"


@pytest.fixture
def existing_home(filemill_home: Path) -> Path:
    """Return the folder that FILEMILL_HOME names, which exists and is empty."""
    filemill_home.mkdir()
    return filemill_home


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse look-ups of and connections to other computers, and fail the test even if it catches the error."""
    refused: list[str] = []
    look_up = socket.getaddrinfo

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host and not _is_loopback(host.decode() if isinstance(host, bytes) else host):
            refused.append(str(host))
            raise socket.gaierror(socket.EAI_NONAME, f"the tests look up this computer only, not {host}")
        return look_up(host, *args, **kwargs)

    def guarded(method: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(address[0]):
                refused.append(str(address[0]))
                raise ConnectionRefusedError(f"the tests connect to this computer only, not to {address}")
            return method(self, address)

        return call

    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    yield
    if refused:
        pytest.fail(f"asked the network for {', '.join(refused)}", pytrace=False)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


class _Collector(logging.Handler):
    """Collects the log records of level WARNING and above of all threads."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class _ExpectedLog:
    """The arguments of an `expected_log` marker."""

    def __init__(self, pattern: str, level: str = "WARNING", *, required: bool = True) -> None:
        self.pattern = re.compile(pattern)
        self.level = level
        self.required = required

    def matches(self, record: logging.LogRecord) -> bool:
        return record.levelname == self.level and bool(self.pattern.search(record.getMessage()))


@pytest.fixture(autouse=True)
def no_unexpected_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test for a log record of level WARNING or above that no `expected_log` marker expects."""
    expected = [_ExpectedLog(*mark.args, **mark.kwargs) for mark in request.node.iter_markers("expected_log")]
    collector = _Collector()
    root = logging.getLogger()
    root.addHandler(collector)
    yield
    root.removeHandler(collector)
    surprises = [r for r in collector.records if not any(e.matches(r) for e in expected)]
    if surprises:
        lines = "\n".join(f"  {r.levelname} {r.name}: {r.getMessage()}" for r in surprises)
        pytest.fail(f"unexpected in the log:\n{lines}", pytrace=False)
    absent = [e for e in expected if e.required and not any(e.matches(r) for r in collector.records)]
    if absent:
        missing = ", ".join(e.pattern.pattern for e in absent)
        pytest.fail(f"expected in the log, but not there: {missing}", pytrace=False)
