"""An HTTP proxy in front of the queue that fails as networks, load balancers and AWS do."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from socketserver import BaseServer

LOOPBACK = "127.0.0.1"
UPSTREAM_SECONDS = 30.0
JSON = "application/x-amz-json-1.0"


@dataclass(frozen=True)
class Rates:
    """The probability of each fault per request, or per batch for faults of batches."""

    reset: float = 0.02
    """The connection is reset before the request arrives."""
    reply_lost: float = 0.02
    """The request is executed, and the connection is reset."""
    reply_cut: float = 0.01
    """The request is executed, and half of the response arrives."""
    unavailable: float = 0.015
    """The response is a web page with status 503."""
    throttled: float = 0.015
    internal: float = 0.01
    done_but_internal: float = 0.01
    """The request is executed, and the response is an error with status 500."""
    page: float = 0.005
    """The response is a web page with status 200."""
    delayed: float = 0.03
    entry_failed: float = 0.04
    """One entry of a batch is not executed, and the response reports its failure."""
    sent_twice: float = 0.15
    """A message of a batch is sent twice, since delivery is at least once; never on a FIFO queue."""


@dataclass
class Reply:
    """A response.

    Attributes:
        status, headers, body: The parts of a valid response; `Content-Length` is added.
        is_cut: Whether to cut the connection in the middle of the body.
        raw: Bytes to send instead, after which the connection is closed.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    is_cut: bool = False
    raw: bytes | None = None


@dataclass
class Exchange:
    """A request and its response."""

    operation: str
    path: str
    headers: dict[str, str]
    body: bytes
    forward: Callable[[bytes], Reply]


@dataclass
class HostileProxy:
    """A proxy that runs from `start` to `stop`. While `is_kind` is True, it only forwards.

    Args:
        upstream: The address of the queue.
        chance: The random generator. Even with a seed, threads make each run different.
        may_duplicate: Whether messages may be sent twice: on a standard queue.
        rates: The probabilities of the faults.
    """

    upstream: str
    chance: random.Random
    may_duplicate: bool
    rates: Rates = field(default_factory=Rates)
    is_kind: bool = False

    def __post_init__(self) -> None:
        self.injected: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._up_again_at = 0.0
        self._connections: set[socket.socket] = set()
        self._listener = _listen()
        self.port: int = self._listener.getsockname()[1]
        self.endpoint_url = f"http://{LOOPBACK}:{self.port}"
        self._thread = threading.Thread(target=self._accept, name="proxy", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._listener.close()

    def go_down(self, seconds: float) -> None:
        """Refuse connections for a while, and cut the open ones."""
        self._up_again_at = time.monotonic() + seconds
        self.count("down for seconds")

    def count(self, what: str) -> None:
        with self._lock:
            self.injected[what] += 1

    def happens(self, rate: float) -> bool:
        with self._lock:
            return not self.is_kind and self.chance.random() < rate

    def _pick(self, options: list[Any]) -> Any:
        with self._lock:
            return self.chance.choice(options)

    # Connections

    def _accept(self) -> None:
        while not self._stopped.is_set():
            if time.monotonic() < self._up_again_at:
                self._be_down()
            try:
                connection, address = self._listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def _be_down(self) -> None:
        self._listener.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._stopped.wait(max(0.0, self._up_again_at - time.monotonic()))
        self._listener = _listen(self.port)

    def _serve(self, connection: socket.socket, address: Any) -> None:
        connection.settimeout(None)
        with self._lock:
            self._connections.add(connection)
        try:
            _Handler(connection, address, cast("BaseServer", self))  # only the buffers are closed
        except (ConnectionError, TimeoutError):
            pass  # a killed program, or the proxy itself
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    # Requests

    def answer(self, exchange: Exchange) -> Reply | None:
        """Return the response; None to cut the connection."""
        rates = self.rates
        if self.happens(rates.delayed):
            self.count("request delayed")
            self._stopped.wait(self._pick([0.05, 0.1, 0.2, 0.5]))
        for rate, name, refusal in (
            (rates.reset, "connection reset", None),
            (rates.unavailable, "503", Reply(503, [("Content-Type", "text/html")], b"<html>Unavailable</html>")),
            (rates.throttled, "throttled", error("RequestThrottled", "Request was throttled.", 403)),
            (rates.internal, "error 500", error("InternalFailure", "We had trouble.", 500)),
            (
                rates.page,
                "a page instead of an answer",
                Reply(200, [("Content-Type", "text/html")], b"<html>Hi</html>"),
            ),
        ):
            if self.happens(rate):
                self.count(f"{name} ({exchange.operation})")
                return refusal
        reply = self._pass_on(exchange)
        for rate, name, instead in (
            (rates.reply_lost, "reply lost", None),
            (rates.reply_cut, "reply cut in the middle", replace(reply, is_cut=True)),
            (rates.done_but_internal, "done, but error 500", error("InternalFailure", "We had trouble.", 500)),
        ):
            if self.happens(rate):
                self.count(f"{name} ({exchange.operation})")
                return instead
        return reply

    def _pass_on(self, exchange: Exchange) -> Reply:
        with self._lock:
            self.passed[exchange.operation] += 1
        is_batch = exchange.operation.endswith("Batch")
        if is_batch and self.happens(self.rates.entry_failed):
            reply = self._without_one(exchange)
        else:
            reply = exchange.forward(exchange.body)
        if exchange.operation == "SendMessageBatch" and self.may_duplicate and self.happens(self.rates.sent_twice):
            self.count("message sent twice")
            asked = json.loads(exchange.body)
            exchange.forward(json.dumps({**asked, "Entries": [self._pick(asked["Entries"])]}).encode())
        return reply

    def _without_one(self, exchange: Exchange) -> Reply:
        """Forward a batch without one of its entries, and report its failure in the response."""
        asked = json.loads(exchange.body)
        failed = self._pick(asked["Entries"])
        kept = [entry for entry in asked["Entries"] if entry is not failed]
        self.count(f"entry not done ({exchange.operation})")
        done: dict[str, Any] = {}
        reply = Reply(200, [("Content-Type", JSON)], b"")
        if kept:
            reply = exchange.forward(json.dumps({**asked, "Entries": kept}).encode())
            done = json.loads(reply.body)
        trouble = {"Id": failed["Id"], "SenderFault": False, "Code": "InternalError", "Message": "We had trouble."}
        done["Failed"] = [*done.get("Failed", []), trouble]
        return Reply(reply.status, reply.headers, json.dumps(done).encode())


def _listen(port: int = 0) -> socket.socket:
    listener = socket.create_server((LOOPBACK, port), backlog=128)
    listener.settimeout(0.05)
    return listener


def error(code: str, message: str, status: int) -> Reply:
    """Return an error in the format of SQS."""
    fault = "Sender" if status < 500 else "Receiver"
    headers = [("Content-Type", JSON), ("x-amzn-query-error", f"{code};{fault}")]
    return Reply(status, headers, json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": message}).encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        proxy = cast("HostileProxy", self.server)
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in {"host", "content-length"}
        }
        exchange = Exchange(operation, self.path, headers, body, lambda data: self._forward(headers, data))
        reply = proxy.answer(exchange)
        if reply is None:
            self._reset()
            return
        if reply.raw is not None:
            self.close_connection = True
            self.wfile.write(reply.raw)
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.is_cut else reply.body)
        if reply.is_cut:
            self.wfile.flush()
            self._reset()

    def _forward(self, headers: dict[str, str], body: bytes) -> Reply:
        proxy = cast("HostileProxy", self.server)
        upstream = http.client.HTTPConnection(urlsplit(proxy.upstream).netloc, timeout=UPSTREAM_SECONDS)
        with contextlib.closing(upstream):
            upstream.request("POST", self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            kept = [
                (name, value)
                for name, value in answer.getheaders()
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}
            ]
            return Reply(answer.status, kept, content)

    def _reset(self) -> None:
        """Reset the connection, as a broken network does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionResetError

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
