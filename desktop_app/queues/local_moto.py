"""moto's SQS, fit to be a queue in daily use and not only in a test.

moto's own queue walks the whole backlog at every call, keeps every message for ever, lets calls run into each other and
hands messages to programs that hung up long ago. Here moto still does all that makes it SQS (operations, attributes,
batches, checks, the wire format); replaced are the shelf that its messages lie on, and three of its functions by faster
ones with the same results. For the server's process only: this changes moto for the whole process.
"""

from __future__ import annotations

import functools
import io
import json
import sys
import time
from collections import OrderedDict, deque
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING, Any

from moto.core.base_backend import BackendDict
from moto.core.utils import camelcase_to_underscores
from moto.moto_server.werkzeug_app import create_backend_app
from moto.sqs import models, responses
from moto.sqs.exceptions import ReceiptHandleIsInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import ModuleType

_REGION = "us-east-1"
_REMEMBERED_HANDLES = 10_000
_LEAK = "instances_tracked"
_JSON = "application/x-amz-json-1.0"
# Neither the signature nor the user agent gets through: moto would take a region or an account from them, and another
# region has other queues.
_HEADERS = ("content-type", "content-encoding", "host", "x-amz-target", "x-amzn-query-mode")

# moto's objects are not made for several threads, so one call is worked at a time. A long poll waits on this condition,
# which lets the others in. Re-entrant, since moto takes it again inside.
_turn = Condition()
_hung_up: ContextVar[Callable[[], bool]] = ContextVar("hung_up")


class CallerGoneError(Exception):
    """The program that asked has closed its connection; nothing may be handed out to it any more."""


class _Shelf:
    """The messages of a queue in order, with cheap removal anywhere; as much of `list` as moto uses."""

    def __init__(self, messages: Iterable[models.Message]) -> None:
        self._messages = OrderedDict.fromkeys(messages)

    def append(self, message: models.Message) -> None:
        self._messages[message] = None

    def remove(self, message: models.Message) -> None:
        del self._messages[message]

    def __iter__(self) -> Iterator[models.Message]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)


class _RecentHandles:
    """The receipt handles deleted last, so that deleting twice succeeds; moto keeps all of them."""

    def __init__(self) -> None:
        self._handles: OrderedDict[str | None, None] = OrderedDict()

    def update(self, handles: Iterable[str | None]) -> None:
        self._handles.update(dict.fromkeys(handles))
        while len(self._handles) > _REMEMBERED_HANDLES:
            self._handles.popitem(last=False)

    def __contains__(self, handle: str) -> bool:
        return handle in self._handles


class TunedQueue(models.Queue):
    """moto's queue, whose calls cost the same however long the backlog is; only to be used under `_turn`."""

    deleted_messages: Any

    def __init__(self, name: str, region: str, account_id: str, **attributes: object) -> None:
        super().__init__(name, region, account_id, **attributes)
        self._messages_lock = _turn
        self.deleted_messages = _RecentHandles()

    @property
    def _messages(self) -> Any:  # noqa: ANN401 - moto says list, and uses append, remove and iteration
        return self._shelf

    @_messages.setter
    def _messages(self, messages: Iterable[models.Message]) -> None:
        """Moto assigns an empty list at the start and in PurgeQueue."""
        self._shelf = _Shelf(messages)
        self._late: set[models.Message] = set()

    @property
    def messages(self) -> Any:  # noqa: ANN401 - moto says list, and iterates
        """What may be handed out now: found one by one, since moto stops after at most ten."""
        return (message for message in self._shelf if message.visible and not message.delayed)

    def add_message(self, message: models.Message) -> None:
        """Put a new message on the shelf."""
        super().add_message(message)
        if message.delayed:
            self._late.add(message)

    def delete_message(self, receipt_handle: str) -> None:
        """Look among the few in flight first; only a message that was released in between needs the long way.

        Raises:
            ReceiptHandleIsInvalid: If no message ever had that handle.
        """
        if receipt_handle in self.deleted_messages:
            return
        for messages in (self._pending_messages, self._shelf):
            for message in messages:
                if message.had_receipt_handle(receipt_handle):
                    self._pending_messages.discard(message)
                    self._shelf.remove(message)
                    self.deleted_messages.update(message.all_receipt_handles)
                    return
        raise ReceiptHandleIsInvalid

    def wait_for_messages(self, timeout: int) -> None:
        """Let other calls in until something may have changed, at most `timeout` seconds.

        moto calls this again and again until the caller's wait is up, each time after a look that found nothing.

        Raises:
            CallerGoneError: If the caller has hung up meanwhile.
        """
        now = _unix_time_millis()
        moments = [message.visible_at for message in self._pending_messages]
        moments += [message.delayed_until for message in self._late]
        soon = min((moment for moment in moments if moment >= now), default=now + timeout * 1000)
        _turn.wait(min(float(timeout), (soon - now) / 1000 + 0.001))
        if _hung_up.get()():
            raise CallerGoneError

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        """How many were sent with a delay that is not over."""
        self._late = {message for message in self._late if message.delayed}
        return len(self._late)

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        """How many are in flight."""
        return sum(not message.visible for message in self._pending_messages)

    @property
    def approximate_number_of_messages(self) -> int:
        """How many may be handed out now."""
        hidden = self.approximate_number_of_messages_not_visible + self.approximate_number_of_messages_delayed
        return len(self._shelf) - hidden


def _unix_time_millis() -> float:
    return time.time() * 1000.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the caller."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class SqsApplication:
    """Answers SQS requests, from any thread, whatever region and credentials their sender uses."""

    def __init__(self) -> None:
        for module, name, value in _replacements():
            getattr(module, name)  # a moto that lacks it is not one that this was written for
            setattr(module, name, value)
        for leaking in (models.Message, TunedQueue):
            setattr(leaking, _LEAK, deque(maxlen=0))
        self._flask = create_backend_app("sqs")

    def create_queue(self, name: str, attributes: dict[str, str], host: str) -> str:
        """Create a queue and return its URL; by a request like any other, which also warms up what they need."""
        headers = {"host": host, "content-type": _JSON, "x-amz-target": "AmazonSQS.CreateQueue"}
        body = json.dumps({"QueueName": name, "Attributes": attributes}).encode()
        reply = self.answer(headers, "/", body, lambda: False)
        return str(json.loads(reply.body)["QueueUrl"])

    def answer(self, headers: Mapping[str, str], path: str, body: bytes, hung_up: Callable[[], bool]) -> Reply:
        """Work one request; blocks for a long poll.

        Args:
            headers: The request's, by their names in lower case.
            path: The URL's.
            body: All of it.
            hung_up: Says whether the caller has closed its connection.

        Raises:
            CallerGoneError: If it has, before messages were handed out to it.
            NotImplementedError: If moto does not know the operation.
        """
        started: list[tuple[int, list[tuple[str, str]]]] = []

        def start_response(status: str, sent: list[tuple[str, str]], _problem: object = None) -> Callable[..., object]:
            started.append((int(status.split(maxsplit=1)[0]), sent))
            return started.append

        is_receive = headers.get("x-amz-target", "").endswith(".ReceiveMessage")
        with _turn:
            if is_receive and hung_up():
                raise CallerGoneError
            token = _hung_up.set(hung_up)
            try:
                content = b"".join(self._flask(_environ(headers, path, body), start_response))
            finally:
                _hung_up.reset(token)
            if not is_receive:
                _turn.notify_all()  # a release may have freed a message for a poll that waits
        status, sent = started[-1]
        return Reply(status, [(n, v) for n, v in sent if n.lower() not in {"content-length", "connection"}], content)


def _replacements() -> list[tuple[ModuleType, str, Any]]:
    """Module, name there, what comes in its place. moto would ask boto3 for all regions, which takes 40 ms."""
    one_region = BackendDict(models.SQSBackend, "sqs", use_boto3_regions=False, additional_regions=[_REGION])
    return [
        (models, "Queue", TunedQueue),
        (models, "sqs_backends", one_region),
        (responses, "sqs_backends", one_region),
        (models, "unix_time", time.time),
        (models, "unix_time_millis", _unix_time_millis),
        (models, "camelcase_to_underscores", functools.lru_cache(1024)(camelcase_to_underscores)),
    ]


def _environ(headers: Mapping[str, str], path: str, body: bytes) -> dict[str, Any]:
    """The request as WSGI wants it."""
    host, _, port = headers.get("host", "").partition(":")
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": "",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
    }
    for name in _HEADERS:
        if name in headers:
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = headers[name]
    return environ
