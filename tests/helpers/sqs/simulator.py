"""A strict SQS in the process of the tests: no network, all calls are recorded, and the test controls the time.

It behaves as AWS documents and as LocalStack's tests record for AWS; where both leave a choice, it is strict. `attach`
puts it inside a real boto3 client, so that botocore's checks and retries run.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.helpers.sqs.clock import RealClock, SimulatorClock
from tests.helpers.sqs.errors import SqsError, over_limit
from tests.helpers.sqs.operations import Operations
from tests.helpers.sqs.queue import Behaviour
from tests.helpers.sqs.wire import error_answer, json_answer, operation_of, parameters_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from tests.helpers.sqs.queue import StandardQueue

REGION = "eu-west-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True)
class Call:
    """A recorded request and its time."""

    operation: str
    parameters: dict[str, Any]
    at: float


class Simulator:
    """SQS for one account. Any thread.

    Args:
        clock: A `VirtualClock`, or a `RealClock` (the default).
        waits: Whether a long poll on an empty queue waits: on the real clock, until a message arrives or its time is
            over; on a virtual clock, until a message arrives or the test moves the clock. By default, it waits only on
            the real clock.
    """

    def __init__(self, clock: SimulatorClock | None = None, *, waits: bool | None = None) -> None:
        self.clock = clock or RealClock()
        self.behaviour = Behaviour()
        self.calls: list[Call] = []
        self._waits = not self.clock.is_virtual if waits is None else waits
        self._changed = threading.Condition()
        self._is_closed = False
        self._throttled: Counter[str] = Counter()
        self._throttle_code = "RequestThrottled"
        self._refusals: dict[str, deque[dict[int, SqsError]]] = defaultdict(deque)
        self._operations = Operations(
            self.clock.time, self.behaviour, self._next_refusals, region=REGION, account=ACCOUNT
        )
        self.clock.on_advance(self._wake)

    # For clients

    def attach(self, client: Any) -> None:
        """Answer all requests of a boto3 client, without a network."""
        client.meta.events.register_first("before-send.sqs", self._before_send)

    def _before_send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return self.answer(request)

    def answer(self, request: AWSPreparedRequest) -> AWSResponse:
        """Answer one request; a long poll blocks."""
        try:
            return json_answer(request.url, self.run(operation_of(request), parameters_of(request)))
        except SqsError as error:
            return error_answer(request.url, error)

    def run(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Execute an action as for a client, and record it.

        Raises:
            SqsError: The error that the client would get.
        """
        with self._changed:
            self.calls.append(Call(operation, parameters, self.clock.time()))
            if self._throttled[operation] > 0:
                self._throttled[operation] -= 1
                raise SqsError(self._throttle_code, "The request was denied due to request throttling.", status=403)
            if operation == "ReceiveMessage":
                return self._receive(parameters)
            result = self._operations.run(operation, parameters)
            self._changed.notify_all()
            return result

    def _receive(self, parameters: dict[str, Any]) -> dict[str, Any]:
        wait = self._operations.wait_seconds(parameters)
        deadline = self.clock.time() + wait
        while True:
            result = self._operations.run("ReceiveMessage", parameters)
            now = self.clock.time()
            if result or not self._waits or now >= deadline or self._is_closed:
                break
            self._changed.wait(self._nap(parameters, deadline, now))
        if not result and wait == 0 and self._is_full(parameters):
            raise over_limit()
        return result

    def _nap(self, parameters: dict[str, Any], deadline: float, now: float) -> float | None:
        """Return how long nothing can change by itself; None on a virtual clock, which the test moves."""
        if self.clock.is_virtual:
            return None
        change = self._operations.queue_of(parameters).next_change(now)
        return min(deadline, deadline if change is None else change) - now

    def _is_full(self, parameters: dict[str, Any]) -> bool:
        """Return whether to report too many messages in flight: only for a standard queue and a short poll."""
        queue = self._operations.queue_of(parameters)
        return not queue.is_fifo and queue.count_in_flight(self.clock.time()) >= self.behaviour.in_flight_limit

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End all long polls; later ones return at once."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    # For tests: queues and their messages, without recorded calls

    def create_queue(self, name: str, **attributes: object) -> str:
        """Create a queue and return its URL; a name that ends in `.fifo` creates a FIFO queue."""
        given = {key: str(value) for key, value in attributes.items()}
        if name.endswith(".fifo"):
            given.setdefault("FifoQueue", "true")
        with self._changed:
            url: str = self._operations.run("CreateQueue", {"QueueName": name, "Attributes": given})["QueueUrl"]
            return url

    def queue(self, name: str) -> StandardQueue:
        """Return a queue by its name or URL."""
        with self._changed:
            return self._operations.queue_of({"QueueUrl": name})

    def has_queue(self, name: str) -> bool:
        """Return whether a queue with this name exists."""
        with self._changed:
            return name in self._operations.queues

    def put(self, name: str, body: str, **parameters: Any) -> str:
        """Put any message in a queue, as another program would; return its message id."""
        with self._changed:
            sent = self._operations.run("SendMessage", {"QueueUrl": name, "MessageBody": body, **parameters})
            self._changed.notify_all()
            message_id: str = sent["MessageId"]
            return message_id

    def bodies(self, name: str) -> list[str]:
        """Return the bodies of all messages in the queue, visible or not, in order."""
        with self._changed:
            queue = self._operations.queue_of({"QueueUrl": name})
            return [message.body for message in queue.messages(self.clock.time())]

    def delete_queue(self, name: str) -> None:
        """Delete a queue without a recorded call."""
        with self._changed:
            self._operations.run("DeleteQueue", {"QueueUrl": name})
            self._changed.notify_all()

    def purge_queue(self, name: str) -> None:
        """Purge a queue without a recorded call or the 60-second limit."""
        with self._changed:
            self._operations.queue_of({"QueueUrl": name}).purge(self.clock.time())

    # For tests: faults

    def deliver_each(self, times: int) -> None:
        """Deliver each message sent from now on this many times on standard queues."""
        self.behaviour.copies = times

    def shuffle(self, seed: int) -> None:
        """Deliver messages in random order on standard queues."""
        self.behaviour.shuffle = random.Random(seed)

    def limit_in_flight(self, messages: int) -> None:
        """Limit the messages in flight per queue; on AWS, the limit is about 120,000."""
        self.behaviour.in_flight_limit = messages

    def delay_counts(self, seconds: float) -> None:
        """Make the counts of messages out of date by this many seconds."""
        self.behaviour.counts_lag_s = seconds

    def throttle(self, operation: str, calls: int, code: str = "RequestThrottled") -> None:
        """Reject the next calls of an operation."""
        with self._changed:
            self._throttled[operation] += calls
            self._throttle_code = code

    def fail_entries(
        self,
        operation: str,
        positions: Iterable[int],
        *,
        code: str = "InternalError",
        message: str = "We encountered an internal error. Please try again.",
        senders_fault: bool = False,
        calls: int = 1,
    ) -> None:
        """Do not execute the entries at these positions in the next calls of a batch operation."""
        error = SqsError(code, message, status=400 if senders_fault else 500)
        with self._changed:
            self._refusals[operation].extend([dict.fromkeys(positions, error)] * calls)

    def _next_refusals(self, operation: str) -> dict[int, SqsError]:
        waiting = self._refusals[operation]
        return waiting.popleft() if waiting else {}

    # For tests: recorded calls

    def calls_of(self, operation: str) -> list[dict[str, Any]]:
        """Return the parameters of all calls of an operation, in order."""
        with self._changed:
            return [call.parameters for call in self.calls if call.operation == operation]

    def counts(self) -> Counter[str]:
        """Return the number of calls by operation."""
        with self._changed:
            return Counter(call.operation for call in self.calls)

    def forget_calls(self) -> None:
        """Delete the recorded calls."""
        with self._changed:
            self.calls.clear()
