"""Inject faults between a boto3 client and what answers it: a server, the embedded queue, or the simulator.

    faults = FaultLayer()
    faults.attach(client)                                   # a client that talks to a server
    faults.attach(client, simulator.answer)                 # one that the simulator answers
    faults.next("ReceiveMessage", service_error("InternalError", status=500), times=3)

A fault is called with the request and a function that passes it on; it returns the response or raises an exception of
botocore. Each retry by botocore counts as a separate request.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from botocore import exceptions as boto

from tests.helpers.sqs.errors import SqsError
from tests.helpers.sqs.wire import (
    answer,
    error_answer,
    failed_entry,
    json_answer,
    operation_of,
    parameters_of,
    with_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    PassOn = Callable[[AWSPreparedRequest], AWSResponse]
    Fault = Callable[[AWSPreparedRequest, PassOn], AWSResponse]

EVERY = "*"


class FaultLayer:
    """Scripted faults by operation. Any thread; several clients may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script: dict[str, deque[Fault]] = {}
        self._lasting: dict[str, Fault] = {}
        self.seen: Counter[str] = Counter()
        """The number of requests by operation, with and without faults."""

    def attach(self, client: Any, pass_on: PassOn | None = None) -> None:
        """Send the requests of a client through this layer.

        Args:
            client: A boto3 client.
            pass_on: Answers the requests that are passed on; by default, the client's HTTP session.
        """
        send: PassOn = pass_on or client._endpoint.http_session.send

        def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            return self.handle(request, send)

        client.meta.events.register_first("before-send.sqs", before_send)

    def handle(self, request: AWSPreparedRequest, send: PassOn) -> AWSResponse:
        """Apply the next scripted fault to a request, or pass it on."""
        fault = self._take(operation_of(request))
        return send(request) if fault is None else fault(request, send)

    def next(self, operation: str, fault: Fault, times: int = 1) -> None:
        """Add a fault for the next requests of an operation (`EVERY`: of any), after the faults added before."""
        with self._lock:
            self._script.setdefault(operation, deque()).extend([fault] * times)

    def always(self, operation: str, fault: Fault) -> None:
        """Apply a fault to all requests of an operation (`EVERY`: of any) until `heal` is called."""
        with self._lock:
            self._lasting[operation] = fault

    def heal(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._script.clear()
            self._lasting.clear()

    @property
    def left(self) -> int:
        """Return the number of faults added with `next` that have not occurred yet."""
        with self._lock:
            return sum(map(len, self._script.values()))

    def _take(self, operation: str) -> Fault | None:
        with self._lock:
            self.seen[operation] += 1
            for name in (operation, EVERY):
                if self._script.get(name):
                    return self._script[name].popleft()
            return self._lasting.get(operation, self._lasting.get(EVERY))


def service_error(
    code: str, message: str = "", *, status: int = 400, with_query_code: bool = True, after: bool = False
) -> Fault:
    """Return a fault that responds with an error of SQS.

    Args:
        code: The code that boto3 shows, such as `AWS.SimpleQueueService.NonExistentQueue`.
        message: The message of SQS.
        status: The HTTP status.
        with_query_code: False for a server that returns only the shape of the JSON protocol.
        after: Whether to pass the request on first.
    """

    def fault(request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        if after:
            pass_on(request)
        return error_answer(request.url, SqsError(code, message, status=status), with_query_code=with_query_code)

    return fault


def no_connection(kind: Callable[..., Exception] = boto.EndpointConnectionError) -> Fault:
    """Return a fault for a request that does not arrive: EndpointConnectionError, ConnectTimeoutError, SSLError …"""

    def fault(request: AWSPreparedRequest, _: PassOn) -> AWSResponse:
        raise kind(endpoint_url=request.url, proxy_url=request.url, error="a fault of the test")

    return fault


def reply_lost(kind: Callable[..., Exception] = boto.ConnectionClosedError) -> Fault:
    """Return a fault that passes the request on and loses the response."""

    def fault(request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        pass_on(request)
        raise kind(endpoint_url=request.url, error="a fault of the test: the reply is lost")

    return fault


def entries_fail(
    positions: Iterable[int], code: str = "InternalError", message: str = "", *, senders_fault: bool = False
) -> Fault:
    """Return a fault that does not execute some entries of a batch, and reports their failure."""
    chosen = set(positions)

    def fault(request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        entries = parameters_of(request)["Entries"]
        error = SqsError(code, message, status=400 if senders_fault else 500)
        failed = [failed_entry(entry["Id"], error) for at, entry in enumerate(entries) if at in chosen]
        result = _without(request, pass_on, chosen)
        result["Failed"] = [*result.get("Failed", []), *failed]
        return json_answer(request.url, result)

    return fault


def entries_unnamed(positions: Iterable[int]) -> Fault:
    """Return a fault that does not execute some entries of a batch, and leaves them out of the response."""
    chosen = set(positions)
    return lambda request, pass_on: json_answer(request.url, _without(request, pass_on, chosen))


def _without(request: AWSPreparedRequest, pass_on: PassOn, chosen: set[int]) -> dict[str, Any]:
    """Pass a batch on without some of its entries; return the result."""
    parameters = parameters_of(request)
    kept = [entry for at, entry in enumerate(parameters["Entries"]) if at not in chosen]
    if not kept:
        return {}
    result: dict[str, Any] = json.loads(pass_on(with_parameters(request, {**parameters, "Entries": kept})).content)
    return result


def result_changed(change: Callable[[dict[str, Any]], None]) -> Fault:
    """Return a fault that passes the request on and changes the result.

    Args:
        change: Changes the result in place.
    """

    def fault(request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        result = json.loads(pass_on(request).content)
        change(result)
        return json_answer(request.url, result)

    return fault


def answer_reversed() -> Fault:
    """Return a fault that reverses the lists in the response to a batch."""

    def change(result: dict[str, Any]) -> None:
        for name in ("Successful", "Failed"):
            result.get(name, []).reverse()

    return result_changed(change)


def wrong_md5(positions: Iterable[int] = range(10)) -> Fault:
    """Return a fault that responds with wrong digests of the bodies."""
    chosen = {str(position) for position in positions}

    def change(result: dict[str, Any]) -> None:
        for entry in result.get("Successful", []):
            if entry["Id"] in chosen:
                entry["MD5OfMessageBody"] = "0" * 32

    return result_changed(change)


def garbage(
    body: bytes = b"<html><body>Sign in to the hotel's network</body></html>",
    *,
    status: int = 200,
    content_type: str = "text/html",
) -> Fault:
    """Return a fault that responds with something else, as a proxy, a captive portal or a broken server does."""
    return lambda request, _: answer(request.url, status, {"Content-Type": content_type}, body)


def pass_through() -> Fault:
    """Pass the request on, for scripts such as "the second call fails"."""
    return lambda request, pass_on: pass_on(request)
