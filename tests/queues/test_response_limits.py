"""Responses that do not end, from real servers: each call ends, and says why."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from socketserver import BaseRequestHandler
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ReadTimeoutError

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import Cause, QueueError
from desktop_app.queues import response_limits
from desktop_app.queues.connector import ClientMaker, SqsConnector, no_retry_config
from desktop_app.queues.errors import as_queue_error
from tests.helpers.servers import served

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
BODIES = (b"\r\n", b"Content-Length: 1000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n")


@pytest.fixture(autouse=True)
def short_limits(only_loopback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "B")
    monkeypatch.setattr(response_limits, "GRACE_SECONDS", -7.5)  # half a second is left of the read timeout
    monkeypatch.setattr(response_limits, "MOST_BYTES", 1 << 20)


@contextmanager
def endless_server(start: bytes, more: bytes, pause_s: float) -> Iterator[str]:
    """Run a server whose response begins with `start` and repeats `more` for ever; yield its host and port."""
    is_over = threading.Event()

    class Endless(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(start)
            while not is_over.wait(pause_s):
                self.request.sendall(more)  # fails when the client has hung up, as it should

    with served(Endless) as place:
        try:
            yield place
        finally:
            is_over.set()


def refusal(server: str) -> QueueError:
    connection = Connection("work", region="eu-west-1", endpoint_url=f"http://{server}")
    client = ClientMaker(connection).sqs(no_retry_config())
    try:
        with pytest.raises(Exception, match=r"timeout|longer than") as error:
            client.get_queue_url(QueueName="work")
    finally:
        client.close()
    return as_queue_error(error.value, connection, "GetQueueUrl")


@pytest.mark.parametrize(
    "start",
    [
        b"",
        HEAD,
        HEAD + b"\r\n",
        HEAD + b"Content-Length: 1000000\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_response_that_drips_is_given_up(start: bytes) -> None:
    with endless_server(start, b"1", 0.02) as server:
        began = time.monotonic()
        error = refusal(server)
    assert error.cause is Cause.OFFLINE
    assert time.monotonic() - began < 20  # nothing else would end it


def test_response_that_drips_through_a_proxy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with endless_server(HEAD, b"1", 0.02) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy}")
        monkeypatch.setenv("NO_PROXY", "")
        assert refusal("sqs.example").cause is Cause.OFFLINE


@pytest.mark.parametrize("start", [HEAD + b"\r\n", HEAD + b"Content-Length: 9000000000\r\n\r\n"])
def test_response_that_is_too_long_is_malformed(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_limits, "GRACE_SECONDS", 60.0)
    with endless_server(start, b"x" * 65536, 0) as server:
        error = refusal(server)
    assert error.cause is Cause.MALFORMED
    assert "the response is longer than 1 MiB" in error.text


def test_connecting_ends_too() -> None:
    with endless_server(HEAD + b"\r\n", b"1", 0.02) as server:
        connector = SqsConnector(Connection("work", region="eu-west-1", endpoint_url=f"http://{server}"))
        with pytest.raises(QueueError) as error:
            connector.connect()
        connector.close()
    assert error.value.cause is Cause.OFFLINE


def test_request_for_the_identity_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with endless_server(HEAD + b"\r\n", b"1", 0.02) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://{server}")
        with pytest.raises(ReadTimeoutError):
            ClientMaker(Connection("work", region="eu-west-1")).caller_arn()


class _RecordingSocket:
    """A socket that records what is written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def settimeout(self, _: float | None) -> None:
        """Ignore the timeout: nothing is read."""

    def sendall(self, data: bytes) -> None:
        self.written.append(data)


def test_headers_and_body_of_each_request_are_sent_together() -> None:
    connection = response_limits._Connection("localhost")
    connection.sock = sock = _RecordingSocket()
    for body in (b'{"a": 1}', b"second"):
        connection.request("POST", "/queue", body=body, headers={"Content-Length": str(len(body))})
        connection._HTTPConnection__state = "Idle"  # type: ignore[attr-defined] # as after a response
        written = sock.written.pop()
        assert sock.written == []
        assert written.startswith(b"POST /queue HTTP/1.1\r\n")
        assert written.endswith(b"\r\n\r\n" + body)
