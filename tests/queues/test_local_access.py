"""Who gets an answer from the embedded queue's server, and what it keeps to itself."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.queues.local_facts import LOOPBACK, greeting
from desktop_app.queues.local_server import log_file
from tests.queues.local_programs import DEADLINE, facts_of, on_posix, reset_at_close

if TYPE_CHECKING:
    from desktop_app.queues.local import LocalQueue


def http(queue: LocalQueue, *lines: str, body: bytes = b"{}", breaks_off: bool = False) -> str:
    """The status line that a hand-written request gets; empty if the connection is closed without one."""
    port = int(queue.endpoint_url.rpartition(":")[2])
    with socket.create_connection((LOOPBACK, port), timeout=DEADLINE) as connection:
        connection.sendall("\r\n".join(["POST / HTTP/1.1", *lines, "", ""]).encode() + body)
        if breaks_off:
            connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return answer.readline().decode().strip()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Host: {host}", "Content-Length: 2", "Origin: http://evil.example"], "403"),
        (["Host: evil.example", "Content-Length: 2"], "403"),
        (["Content-Length: 2"], "403"),
        (["Host: {host}", "Transfer-Encoding: chunked"], "411"),
        (["Host: {host}", "Content-Length: -1"], "411"),
        (["Host: {host}", "Content-Length: 99999999"], "413"),
        (["Host: {host}", "Content-Length: " + "9" * 5000], "413"),
    ],
)
def test_requests_of_web_pages_and_nonsense_are_refused(shared: LocalQueue, lines: list[str], status: str) -> None:
    host = shared.endpoint_url.removeprefix("http://")
    assert http(shared, *(line.format(host=host) for line in lines)).split()[1] == status
    assert shared.alive()


def test_a_request_that_trips_it_is_answered_and_logged(shared: LocalQueue, shared_run: Path, client: Any) -> None:
    host = shared.endpoint_url.removeprefix("http://")
    body = json.dumps({"QueueUrl": shared.queue_url, "MaxNumberOfMessages": "ten"}).encode()
    lines = [f"Host: {host}", f"Content-Length: {len(body)}", "Content-Type: application/x-amz-json-1.0"]
    status = http(shared, *lines, "X-Amz-Target: AmazonSQS.ReceiveMessage", body=body)
    assert status.split()[1] == "500"
    assert "no answer to AmazonSQS.ReceiveMessage" in log_file(shared_run).read_text()
    assert client.get_queue_url(QueueName="filemill")["QueueUrl"] == shared.queue_url


def test_a_request_that_breaks_off_disturbs_nobody(shared: LocalQueue, client: Any) -> None:
    host = shared.endpoint_url.removeprefix("http://")
    assert http(shared, f"Host: {host}", "Content-Length: 100", breaks_off=True) == ""
    with socket.create_connection((LOOPBACK, int(host.rpartition(":")[2]))) as broken:
        broken.sendall(b"POST / HTTP/1.1\r\n")
        reset_at_close(broken)
    assert client.get_queue_url(QueueName="filemill")["QueueUrl"] == shared.queue_url


@on_posix
def test_it_has_a_session_of_its_own_and_pins_no_disk(shared: LocalQueue, shared_run: Path) -> None:
    assert shared.alive()
    pid = facts_of(shared_run).pid
    assert os.getsid(pid) == pid
    if Path("/proc/self/cwd").exists():
        assert Path(f"/proc/{pid}/cwd").resolve() == Path("/")


@on_posix
def test_what_it_leaves_in_the_folder_is_for_the_owner_only(shared: LocalQueue, shared_run: Path) -> None:
    assert shared.alive()
    assert stat.S_IMODE(shared_run.stat().st_mode) == 0o700
    for path in shared_run.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert {"local-queue.json", "local-queue.log"} <= {path.name for path in shared_run.iterdir()}


def test_a_wrong_token_is_turned_away_and_disturbs_nobody(shared: LocalQueue, shared_run: Path) -> None:
    with socket.create_connection((LOOPBACK, facts_of(shared_run).control_port), timeout=DEADLINE) as stranger:
        stranger.sendall(greeting("wrong"))
        assert stranger.recv(1) == b""
    assert shared.alive()
    assert "right token" in log_file(shared_run).read_text()
