"""Faults between a boto3 client and whatever answers it: a server, the embedded queue, or the simulator.

    faults = FaultLayer()
    faults.attach(client)                                   # a client that talks to a server
    faults.attach(client, simulator.answer)                 # one that the simulator answers
    faults.next("ReceiveMessage", service_error("InternalError", status=500), times=3)

A fault gets the request and a way to pass it on, and gives the answer or raises what botocore would raise. botocore's
own retries come after it: each try of one call is a request of its own here.
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
    """A script of faults, by operation. Any thread; several clients may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script: dict[str, deque[Fault]] = {}
        self._lasting: dict[str, Fault] = {}
        self.seen: Counter[str] = Counter()
        """How many requests of each operation came by, faulty or not."""

    def attach(self, client: Any, pass_on: PassOn | None = None) -> None:
        """Sit in front of a client.

        Args:
            client: A boto3 client.
            pass_on: What answers a request that is let through; by default the client's own HTTP session.
        """
        send: PassOn = pass_on or client._endpoint.http_session.send

        def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            return self.handle(request, send)

        client.meta.events.register_first("before-send.sqs", before_send)

    def handle(self, request: AWSPreparedRequest, send: PassOn) -> AWSResponse:
        """Let one request meet what stands in the script, or send it."""
        fault = self._take(operation_of(request))
        return send(request) if fault is None else fault(request, send)

    def next(self, operation: str, fault: Fault, times: int = 1) -> None:
        """Let the next requests of one operation (`EVERY`: of any) meet a fault; after those that already wait."""
        with self._lock:
            self._script.setdefault(operation, deque()).extend([fault] * times)

    def always(self, operation: str, fault: Fault) -> None:
        """Let all requests of one operation (`EVERY`: of any) meet a fault, until `heal`."""
        with self._lock:
            self._lasting[operation] = fault

    def heal(self) -> None:
        """No faults any more."""
        with self._lock:
            self._script.clear()
            self._lasting.clear()

    @property
    def left(self) -> int:
        """How many scripted faults have not been met yet."""
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
    """SQS answers with an error.

    Args:
        code: As boto3 shows it, such as `AWS.SimpleQueueService.NonExistentQueue`.
        message: SQS's text.
        status: The HTTP status.
        with_query_code: False for a server that only gives the JSON protocol's shape.
        after: True if the work is done all the same.
    """

    def fault(request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        if after:
            pass_on(request)
        return error_answer(request.url, SqsError(code, message, status=status), with_query_code=with_query_code)

    return fault


def no_connection(kind: Callable[..., Exception] = boto.EndpointConnectionError) -> Fault:
    """The request does not get through: EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError, SSLError …"""

    def fault(request: AWSPreparedRequest, _: PassOn) -> AWSResponse:
        raise kind(endpoint_url=request.url, proxy_url=request.url, error="a fault of the test")

    return fault


def reply_lost(kind: Callable[..., Exception] = boto.ConnectionClosedError) -> Fault:
    """The queue does what was asked, and the answer does not arrive."""

    def fault(request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        pass_on(request)
        raise kind(endpoint_url=request.url, error="a fault of the test: the reply is lost")

    return fault


def entries_fail(
    positions: Iterable[int], code: str = "InternalError", message: str = "", *, senders_fault: bool = False
) -> Fault:
    """Some entries of a batch are not done and say so; the others go on their way."""
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
    """Some entries of a batch are not done, and the answer does not name them."""
    chosen = set(positions)
    return lambda request, pass_on: json_answer(request.url, _without(request, pass_on, chosen))


def _without(request: AWSPreparedRequest, pass_on: PassOn, chosen: set[int]) -> dict[str, Any]:
    """Pass a batch on without some of its entries; gives the result."""
    parameters = parameters_of(request)
    kept = [entry for at, entry in enumerate(parameters["Entries"]) if at not in chosen]
    if not kept:
        return {}
    result: dict[str, Any] = json.loads(pass_on(with_parameters(request, {**parameters, "Entries": kept})).content)
    return result


def result_changed(change: Callable[[dict[str, Any]], None]) -> Fault:
    """The queue does what was asked, and its result arrives changed.

    Args:
        change: Alters the result in place.
    """

    def fault(request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        result = json.loads(pass_on(request).content)
        change(result)
        return json_answer(request.url, result)

    return fault


def answer_reversed() -> Fault:
    """The lists of a batch's answer come in another order."""

    def change(result: dict[str, Any]) -> None:
        for name in ("Successful", "Failed"):
            result.get(name, []).reverse()

    return result_changed(change)


def wrong_md5(positions: Iterable[int] = range(10)) -> Fault:
    """The queue says that it received other bodies than those that were sent."""
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
    """Somebody else answers: a proxy, a captive portal, a broken server."""
    return lambda request, _: answer(request.url, status, {"Content-Type": content_type}, body)


def pass_through() -> Fault:
    """No fault, for scripts such as "the second call fails"."""
    return lambda request, pass_on: pass_on(request)
