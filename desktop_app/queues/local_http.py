"""HTTP for the local queue: connections that stay open, requests of this computer's own programs only."""

from __future__ import annotations

import json
import logging
import selectors
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn

from desktop_app.queues.local_facts import LOOPBACK
from desktop_app.queues.local_moto import CallerGoneError, Reply, SqsApplication

# SQS takes 1 MiB of messages a request; as JSON, each byte may need six.
_MOST_BYTES = 8 * 1024 * 1024

_log = logging.getLogger(__name__)


class SqsHttpServer(ThreadingMixIn, TCPServer):
    """Listens on loopback and a free port, one thread a connection.

    werkzeug's server closes the connection after each reply, and HTTPServer asks the name service for this computer's
    name at its start; so neither is used.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, application: SqsApplication) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.application = application
        self.port: int = self.socket.getsockname()[1]
        self.hosts = frozenset({f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"})

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's names
        """A caller that breaks off is daily life; anything else is a bug."""
        if not isinstance(sys.exception(), ConnectionError):
            _log.error("a connection ended by a bug", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # a reply's head and body leave together
    disable_nagle_algorithm = True
    server: SqsHttpServer

    def do_POST(self) -> None:
        refusal = self._refusal()
        if refusal is not None:
            self.close_connection = True
            self.send_error(refusal)
            return
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        try:
            reply = self._answer(body)
        except CallerGoneError:
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _refusal(self) -> HTTPStatus | None:
        """Web pages can reach loopback as well: they send an Origin, or, by a trick with names, another Host."""
        if self.headers.get("Host") not in self.server.hosts or "Origin" in self.headers:
            return HTTPStatus.FORBIDDEN
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            return HTTPStatus.LENGTH_REQUIRED
        too_large = len(length) > len(str(_MOST_BYTES)) or int(length) > _MOST_BYTES
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else None

    def _answer(self, body: bytes) -> Reply:
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            return self.server.application.answer(headers, self.path, body, self._hung_up)
        except CallerGoneError:
            raise
        except NotImplementedError:  # an operation that moto does not know: no use to try it again
            return _problem(HTTPStatus.BAD_REQUEST, "UnsupportedOperation")
        except Exception:  # noqa: BLE001 - a bug in one request, which is logged, must not end the others
            _log.exception("no answer to %s", self.headers.get("X-Amz-Target"))
            return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalFailure")

    def _hung_up(self) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            if not selector.select(0):
                return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """No access log."""
        _log.debug(format, *args)


def _problem(status: HTTPStatus, code: str) -> Reply:
    body = json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "The local queue can't do this."})
    return Reply(status, [("Content-Type", "application/x-amz-json-1.0")], body.encode())
