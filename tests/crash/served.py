"""Serve the strict simulator on the loopback interface for programs in other processes, which it outlives."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self, cast

from botocore.awsrequest import AWSPreparedRequest

if TYPE_CHECKING:
    from types import TracebackType

    from tests.helpers.sqs.simulator import Simulator

LOOPBACK = "127.0.0.1"


class ServedSimulator:
    """Serves within the context. The poll of a dead client still receives messages, as on AWS.

    Args:
        simulator: The simulator; tests use it to inspect the queue and to move its time.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._server = _Server(simulator)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="served", daemon=True)
        self.endpoint_url = f"http://{LOOPBACK}:{self._server.server_address[1]}"

    @property
    def is_idle(self) -> bool:
        """Return whether no request is in progress and no poll waits."""
        return self._server.running == 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._simulator.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, simulator: Simulator) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.simulator = simulator
        self._lock = threading.Lock()
        self.running = 0

    def count(self, change: int) -> None:
        with self._lock:
            self.running += change

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of killed clients, which these tests expect."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        server = cast("_Server", self.server)
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the client was killed while sending
            self.close_connection = True
            return
        request = AWSPreparedRequest("POST", self.path, cast("Any", self.headers), body, stream_output=False)
        server.count(1)
        try:
            answer = server.simulator.answer(request)
        finally:
            server.count(-1)
        content: Any = answer.content
        self.send_response_only(answer.status_code)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
