"""The embedded queue: what is left over from before, what can't be started, what hangs."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

import filelock
import pytest

from desktop_app import spawn
from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.queues import local
from desktop_app.queues.local import LocalQueue
from desktop_app.queues.local_facts import LOOPBACK, ServerFacts, write_facts
from desktop_app.queues.local_server import log_file
from tests.queues.local_programs import (
    DEADLINE,
    ROOT,
    attach,
    facts_of,
    on_posix,
    wait_until,
    waiting_for_servers,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_facts_of_a_server_that_is_gone_do_not_mislead(run: Path) -> None:
    run.mkdir()
    with socket.create_server((LOOPBACK, 0)) as was:
        port = was.getsockname()[1]
    write_facts(run, ServerFacts(1, port, "token", "http://127.0.0.1:1", "http://127.0.0.1:1/q", "old"))
    with attach(run) as queue:
        assert queue.instance_id != "old"


@pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n", b""])
def test_a_stranger_on_the_old_port_is_not_taken_for_the_server(run: Path, reply: bytes) -> None:
    run.mkdir()
    with socket.create_server((LOOPBACK, 0)) as stranger:

        def answer() -> None:
            connection, _ = stranger.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        port = stranger.getsockname()[1]
        write_facts(run, ServerFacts(1, port, "token", "http://127.0.0.1:1", "http://127.0.0.1:1/q", "old"))
        with attach(run) as queue:
            assert queue.instance_id != "old"
        thread.join(DEADLINE)


def test_a_server_that_dies_at_once_is_reported_at_once_with_its_last_words(run: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('first', flush=True); sys.exit('no such thing as moto')"]
    before = time.monotonic()
    with pytest.raises(QueueError) as caught:
        LocalQueue.attach(run, command=command)
    assert time.monotonic() - before < 10
    assert caught.value.trouble is QueueTrouble.SETUP
    assert caught.value.detail == "no such thing as moto"
    assert str(log_file(run)) in caught.value.text


def test_a_server_that_dies_in_silence_is_reported_with_its_exit_code(run: Path) -> None:
    with pytest.raises(QueueError) as caught:
        LocalQueue.attach(run, command=[sys.executable, "-c", "raise SystemExit(7)"])
    assert caught.value.detail == "exit code 7"


def test_a_command_that_is_not_there_is_a_matter_of_setup(run: Path) -> None:
    with pytest.raises(QueueError) as caught:
        LocalQueue.attach(run, command=[str(run / "missing")])
    assert caught.value.trouble is QueueTrouble.SETUP


def test_a_folder_that_cannot_be_made_is_a_matter_of_setup(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QueueError, match="FILEMILL_HOME") as caught:
        attach(tmp_path / "file" / "run")
    assert caught.value.trouble is QueueTrouble.SETUP


def test_a_start_that_takes_too_long_is_given_up(run: Path) -> None:
    command = [sys.executable, "-c", "import threading; threading.Event().wait(0.5)"]
    with pytest.raises(QueueError) as caught:
        LocalQueue.attach(run, command=command, timeout=0.1)
    assert caught.value.trouble is QueueTrouble.OFFLINE


def test_someone_elses_start_that_takes_too_long_is_given_up(run: Path) -> None:
    run.mkdir()
    with (
        filelock.FileLock(run / "local-queue.lock"),
        pytest.raises(QueueError) as caught,
    ):
        attach(run, timeout=0.2)
    assert caught.value.trouble is QueueTrouble.OFFLINE


@on_posix
def test_a_server_that_hangs_is_named(run: Path) -> None:
    with attach(run):
        pid = facts_of(run).pid
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(QueueError) as caught:
                attach(run, timeout=0.5)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert caught.value.trouble is QueueTrouble.OFFLINE
        assert str(pid) in caught.value.text


@on_posix
def test_a_server_that_hangs_for_a_while_is_joined_when_it_is_back(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_ANSWER_SECONDS", 0.1)
    others = len(waiting_for_servers())
    with attach(run) as queue:
        pid = facts_of(run).pid
        os.kill(pid, signal.SIGSTOP)
        joined: list[LocalQueue] = []
        thread = threading.Thread(target=lambda: joined.append(attach(run)))
        thread.start()
        wait_until(lambda: "another server" in log_file(run).read_text(), "a second one has been tried")
        os.kill(pid, signal.SIGCONT)
        thread.join(DEADLINE)
        assert [one.instance_id for one in joined] == [queue.instance_id]
        joined[0].close()
        wait_until(lambda: len(waiting_for_servers()) == others + 1, "any other server has given up")


def test_what_is_set_for_aws_or_python_does_not_reach_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    harmful = {"AWS_PROFILE": "no-such", "MOTO_ACCOUNT_ID": "1", "https_proxy": "http://127.0.0.1:9", "NO_PROXY": "*"}
    for name, value in (harmful | {"PYTHONWARNINGS": "error", "PYTHONPATH": "/before"}).items():
        monkeypatch.setenv(name, value)
    environment = local._environment(os.environ)
    assert not set(environment) & {*harmful, "PYTHONWARNINGS"}
    assert environment["PYTHONPATH"] == f"{ROOT}{os.pathsep}/before"
    assert environment["PATH"] == os.environ["PATH"]
    with attach(run) as queue:
        assert "123456789012" in queue.queue_url


def test_an_installed_program_needs_no_python_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "__file__", "/usr/lib/python3/site-packages/desktop_app/spawn.py")
    assert "PYTHONPATH" not in local._environment({"PATH": "/bin"})


def test_the_default_command_is_the_same_program(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local._own_command(run) == [sys.executable, "-m", "desktop_app", "_local-queue", str(run)]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert local._own_command(run) == [sys.executable, "_local-queue", str(run)]
    environment = local._environment({"PATH": "/bin"})
    assert environment == {
        "PATH": "/bin",
        "PYINSTALLER_RESET_ENVIRONMENT": "1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
