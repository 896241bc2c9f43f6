"""Fakes: a clock, a queue with scripted answers, and scripted processing."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, cast

from desktop_app.domain.errors import FileError, QueueError, QueueTrouble
from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.processing.registry import BUILT_IN, FileResult, ProcessorRegistry
from desktop_app.queues.messages import EntryResult, Outgoing, QueueInfo, QueueState, Received
from desktop_app.services.loops import StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.processing.processor import Watch
    from desktop_app.queues.client import QueueClient
    from desktop_app.sources.local import Source

DONE = EntryResult()
OFFLINE = QueueError("Can't reach it.", trouble=QueueTrouble.OFFLINE)


class RecordingWatch:
    """A watch that records the progress, and is cancelled by `stop` or when it is asked for the n-th time."""

    attempt_id = "00000000-0000-4000-8000-000000000000-1"

    def __init__(self, stop_at_question: int | None = None) -> None:
        self.progress: list[tuple[int, int]] = []
        self.accesses: list[bool] = []
        self.questions = 0
        self.seen = threading.Event()
        self.stop = threading.Event()
        self._stop_at = stop_at_question

    def on_access(self, *, begins: bool) -> None:
        self.accesses.append(begins)

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        self.progress.append((bytes_done, bytes_total))
        self.seen.set()

    def cancelled(self) -> bool:
        self.questions += 1
        return self.stop.is_set() or self.questions == self._stop_at


class FakeClock:
    """A clock that a test moves."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def now_ms(self) -> int:
        return int(self.now * 1000)

    def steady(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def received(
    body: str = "{}", *, handle: str = "h", message_id: str = "m", count: int = 1, group: str = ""
) -> Received:
    return Received(message_id, handle, body, count, group)


@dataclass
class FakeClient:
    """A client with scripted answers. It records each call as a tuple of the action and its argument."""

    info: QueueInfo = field(default_factory=lambda: QueueInfo("http://q", "q", is_fifo=False))
    calls: list[tuple[str, Any]] = field(default_factory=list)
    polls: deque[list[Received] | Exception] = field(default_factory=deque)
    answers: dict[str, deque[list[EntryResult] | Exception]] = field(default_factory=dict)
    attempts: list[str] = field(default_factory=list)
    on_receive: Callable[[], None] = lambda: None
    queue_state: QueueState = field(
        default_factory=lambda: QueueState(
            visible=3, in_flight=1, delayed=0, created_at_ms=1_793_000_000_000, retention_s=345_600, dead_letter_arn=""
        )
    )

    def script(self, action: str, *answers: list[EntryResult] | Exception) -> None:
        self.answers.setdefault(action, deque()).extend(answers)

    def made(self, action: str) -> list[Any]:
        return [what for name, what in self.calls if name == action]

    def _answer(self, action: str, what: Sequence[Any]) -> list[EntryResult]:
        self.calls.append((action, list(what)))
        scripted = self.answers.get(action)
        answer = scripted.popleft() if scripted else [EntryResult(message_id=f"id-{at}") for at in range(len(what))]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def send(self, messages: Sequence[Outgoing]) -> list[EntryResult]:
        return self._answer("send", messages)

    def delete(self, handles: Sequence[str]) -> list[EntryResult]:
        return self._answer("delete", handles)

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> list[EntryResult]:
        return self._answer("change_visibility", changes)

    def receive(self, *, limit: int, wait_s: int, visibility_s: int, attempt_id: str = "") -> list[Received]:
        self.calls.append(("receive", (limit, wait_s, visibility_s)))
        self.attempts.append(attempt_id)
        self.on_receive()
        answer = self.polls.popleft() if self.polls else []
        if isinstance(answer, Exception):
            raise answer
        return answer

    def state(self) -> QueueState:
        return self.queue_state

    def close(self) -> None:
        self.calls.append(("close", None))


class FakeConnector:
    """A connector that always returns the same client, or raises `trouble` if it is set."""

    def __init__(self, client: FakeClient) -> None:
        self.client = client
        self.trouble: Exception | None = None
        self.resets = 0

    def connect(self) -> QueueClient:
        if self.trouble is not None:
            raise self.trouble
        return cast("QueueClient", self.client)

    def interrupt(self) -> None:
        """Do nothing: no program provides credentials."""

    def give_up(self) -> None:
        """Do nothing: no program provides credentials."""

    def release_abandoned(self, is_alive: Callable[[str], bool]) -> None:
        """Do nothing, as with SQS; raise `trouble` if it is set."""
        if self.trouble is not None:
            raise self.trouble

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.client.close()


class ScriptedProcessing(ProcessorRegistry):
    """A registry with a scripted action for each file name; other files are processed as usual.

    Attributes:
        acts: The actions by file name. If one returns None, the file is then processed as usual.
        began: The names of the files, in the order in which their processing began.
    """

    def __init__(self) -> None:
        super().__init__(BUILT_IN)
        self.acts: dict[str, Callable[[Watch], FileResult | None]] = {}
        self.began: list[str] = []

    def process(
        self,
        path: str,
        watch: Watch,
        opened: Source | None = None,
        processor: str = DEFAULT_PROCESSOR,
        options: str = "",
    ) -> FileResult:
        name = path.rpartition("/")[2]
        self.began.append(name)
        result = self.acts[name](watch) if name in self.acts else None
        return super().process(path, watch, opened, processor, options) if result is None else result

    def hold(self, name: str, result: FileResult | None = None) -> tuple[threading.Event, threading.Event]:
        """Block the processing of a file; return an event that is set when it begins, and one that lets it continue.

        Args:
            name: The name of the file.
            result: The result to return then, even if cancelled; by default, the file is processed as usual.
        """
        has_begun, may_end = threading.Event(), threading.Event()

        def wait(_: Watch) -> FileResult | None:
            has_begun.set()
            assert may_end.wait(20)
            return result

        self.acts[name] = wait
        return has_begun, may_end


def in_use(_: Watch) -> NoReturn:
    """Raise the error of a file that another program has open."""
    raise FileError(Reason(ReasonCode.IN_USE), passing=True)


class Countdown(StopRequest):
    """A stop request that is set when it is asked for the n-th time; no wait takes time.

    Attributes:
        waits: The waits, in seconds.
    """

    def __init__(self, questions: int) -> None:
        super().__init__()
        self._left = questions
        self.waits: list[float] = []

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0

    def wait(self, seconds: float, event: threading.Event | None = None) -> bool:
        self.waits.append(seconds)
        return super().wait(0, event)
