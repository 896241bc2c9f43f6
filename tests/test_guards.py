"""The guards of conftest.py fail exactly the tests that violate a rule."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import wait_until

CONFTEST = Path(__file__).with_name("conftest.py")
MADE_UP_TESTS = """
import logging
import os
import socket
import sqlite3
import threading

import pytest

kept = []


def warn():
    logging.getLogger("somebody").warning("the disk is full")


def test_warning():
    warn()


def test_warning_of_a_thread():
    thread = threading.Thread(target=warn)
    thread.start()
    thread.join()


@pytest.mark.expected_log("disk is f.ll")
def test_announced():
    warn()


@pytest.mark.expected_log("disk", level="WARNING", required=False)
def test_allowed():
    warn()


@pytest.mark.expected_log("disk", required=False)
def test_allowed_and_absent():
    pass


@pytest.mark.expected_log("disk")
def test_announced_and_absent():
    pass


@pytest.mark.expected_log("disk", level="ERROR")
def test_other_level():
    warn()


def test_info():
    logging.getLogger("somebody").info("all is well")


@pytest.mark.parametrize("host", ["192.0.2.1", "sqs.eu-west-1.amazonaws.com"])
def test_network_with_the_refusal_caught(host):
    with pytest.raises(OSError):
        socket.create_connection((host, 80), timeout=1)


def connect():
    return sqlite3.connect(":memory:")


def test_connection_left_open():
    kept.append(connect())


def test_connection_of_a_thread_left_open():
    thread = threading.Thread(target=lambda: kept.append(connect()))
    thread.start()
    thread.join()


def test_connection_closed():
    connect().close()


def test_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_looking_up_localhost():
    try:
        socket.getaddrinfo("localhost", 80)
    except socket.gaierror:
        pass  # this computer does not know its name; the guard is not to say more


def test_environment(tmp_path, filemill_home):
    assert "mine" not in os.environ.values()
    assert os.path.expanduser("~") == os.environ["HOME"]
    assert os.environ["FILEMILL_HOME"] == str(filemill_home)
    assert not filemill_home.exists()
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"
    assert list(tmp_path.iterdir()) == []
"""


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the result of each generated test under the real conftest.py, with the reason: `ERROR …: reason`."""
    folder = tmp_path_factory.mktemp("made_up")
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"))
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (folder / "test_made_up.py").write_text(MADE_UP_TESTS)
    environment = {name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM"}
    foreign = ("AWS_PROFILE", "AWS_ENDPOINT_URL_SQS", "FILEMILL_QUEUE", "HTTPS_PROXY", "no_proxy")
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-rA", "--strict-markers", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**environment, **dict.fromkeys(foreign, "mine"), "COLUMNS": "300"},
        capture_output=True,
        check=False,
        text=True,
    ).stdout
    summary = said.partition("short test summary info")[2]
    # A test rejected by a guard is listed twice: as passed, and then with the guard's error.
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S+::(\S+)(.*)$", summary, re.MULTILINE)
    return {name: ending + reason for ending, name, reason in sorted(found, key=lambda entry: entry[0] == "ERROR")}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("test_warning", "unexpected in the log"),
        ("test_warning_of_a_thread", "unexpected in the log"),
        ("test_other_level", "unexpected in the log"),
        ("test_announced_and_absent", "expected in the log, but not there: disk"),
        ("test_connection_left_open", "left open"),
        ("test_connection_of_a_thread_left_open", "left open"),
        ("test_network_with_the_refusal_caught[192.0.2.1]", "asked the network for 192.0.2.1"),
        ("test_network_with_the_refusal_caught[sqs.eu-west-1.amazonaws.com]", "asked the network for sqs.eu-west-1"),
    ],
)
def test_leaving_the_bounds_fails_a_test(endings: dict[str, str], name: str, reason: str) -> None:
    assert endings[name].startswith("ERROR")
    assert reason in endings[name]


@pytest.mark.parametrize(
    "name",
    [
        "test_announced",
        "test_allowed",
        "test_allowed_and_absent",
        "test_info",
        "test_connection_closed",
        "test_loopback",
        "test_looking_up_localhost",
        "test_environment",
    ],
)
def test_staying_within_them_passes(endings: dict[str, str], name: str) -> None:
    assert endings[name] == "PASSED"


def test_wait_until_returns_once_the_condition_holds() -> None:
    answers = iter([False, False, True])
    wait_until(lambda: next(answers))
    assert next(answers, "all were asked for") == "all were asked for"


def test_wait_until_names_the_condition_that_was_not_true() -> None:
    with pytest.raises(AssertionError, match=r"not within 0.01 s: a parcel"):
        wait_until(lambda: False, timeout=0.01, what="a parcel")
