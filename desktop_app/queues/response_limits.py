"""The connections of boto3's clients: limit the time and the size of a server's responses, and send requests at once.

The read timeout of botocore applies to each read. A server that sends one byte every few seconds, or a body without an
end, would therefore keep a call waiting for ever.
"""

from __future__ import annotations

import io
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

from desktop_app.queues.errors import MalformedAnswerError

if TYPE_CHECKING:
    import socket

    _AnyConnection = AWSHTTPConnection
else:
    _AnyConnection = object

MOST_BYTES = 16 << 20
"""More than SQS ever sends: ten messages of 1 MiB, with special characters escaped."""

GRACE_SECONDS = 60.0
"""How long a response may take in addition to the read timeout, which is longer than a long poll."""


def limit_responses(client: Any) -> None:  # noqa: ANN401 - any client of boto3
    """Make the calls of a client fail if a response takes too long or is too long.

    The calls then raise `ReadTimeoutError`, or `HTTPClientError` with a `MalformedAnswerError`.
    """
    # botocore has no public way to replace the connections of a client, which urllib3 permits.
    client._endpoint.http_session._pool_classes_by_scheme.update(http=_Pool, https=_SecurePool)  # noqa: SLF001


class _LimitedStream(io.RawIOBase):
    """The bytes of one response.

    Args:
        stream: The stream of the socket.
        connection: The socket; its timeout is the read timeout.
    """

    def __init__(self, stream: io.RawIOBase, connection: socket.socket) -> None:
        self._stream = stream
        self._socket = connection
        self._timeout = connection.gettimeout()
        self._deadline = time.monotonic() + (self._timeout or 0.0) + GRACE_SECONDS
        self._left = MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any writable buffer
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the response takes too long")
        self._socket.settimeout(seconds if self._timeout is None else min(seconds, self._timeout))
        try:
            count: int | None = self._stream.readinto(buffer)
        finally:
            self._socket.settimeout(self._timeout)
        self._left -= count or 0
        if self._left < 0:
            raise MalformedAnswerError(field="the response", why=f"is longer than {MOST_BYTES >> 20} MiB")
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:  # noqa: ANN401 - of `http.client`
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_LimitedStream(self.fp.detach(), sock))


class _SendsAtOnce(_AnyConnection):
    """Sends the headers and the body of a request together.

    urllib3 sends them separately, so that the server wakes up twice. This takes 0.1 ms longer (measured).
    """

    _held: list[bytes] | None = None

    def request(self, *args: Any, **options: Any) -> None:  # type: ignore[override] # noqa: ANN401 - of urllib3
        held: list[bytes] = []
        self._held = held
        try:
            super().request(*args, **options)
        finally:
            self._held = None
        if held:
            self.send(b"".join(held))

    def send(self, data: Any) -> None:  # noqa: ANN401
        if self._held is not None and isinstance(data, bytes):
            self._held.append(data)
        else:
            super().send(data)


class _Connection(_SendsAtOnce, AWSHTTPConnection):
    response_class = _Response  # type: ignore[assignment] # the stubs are narrower than `http.client`


class _SecureConnection(_SendsAtOnce, AWSHTTPSConnection):
    response_class = _Response  # type: ignore[assignment] # the stubs are narrower than `http.client`


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(AWSHTTPSConnectionPool):
    ConnectionCls = _SecureConnection
