"""Call a queue whose responses are mutated, over HTTP; each call must succeed or fail with a plain error.

    python tests/torture/fuzz.py [--answers 10000] [--seed N]

All actions that Filemill uses are called in turn, on a standard and a FIFO queue. A call must return values of the
right types or raise a `QueueError` with a text; anything else is wrong. The exit code is 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from botocore.exceptions import BotoCoreError, ClientError

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.queues.checks import probe
from desktop_app.queues.client import BotoClient
from desktop_app.queues.connector import _look_up
from desktop_app.queues.discovery import list_queues
from desktop_app.queues.errors import as_queue_error
from desktop_app.queues.messages import EntryResult, Outgoing, QueueInfo, QueueState, Received
from tests.crash.served import ServedSimulator
from tests.helpers.sqs.kit import boto_client
from tests.helpers.sqs.mutations import Mutator
from tests.helpers.sqs.simulator import REGION, Simulator
from tests.torture.proxy import Exchange, HostileProxy, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

RARE = 40
"""Discovery and the connection test create boto3 sessions, which is slow, so only one in so many calls is one."""


class MutatingProxy(HostileProxy):
    """A proxy that mutates responses.

    Args:
        upstream: The address of the queue.
        chance: The random generator.
        rate: The share of responses to mutate.
    """

    def __init__(self, upstream: str, chance: random.Random, rate: float = 1.0) -> None:
        super().__init__(upstream, chance, may_duplicate=False)
        self.rate = rate
        self._mutator = Mutator(chance)

    def answer(self, exchange: Exchange) -> Reply:
        """Execute the request; return its response, mutated or not."""
        reply = exchange.forward(exchange.body)
        with self._lock:
            self.passed[exchange.operation] += 1
            if self.is_kind or self.chance.random() >= self.rate:
                return reply
            self.injected[exchange.operation] += 1
            status, headers, body, raw = self._mutator.mutate(reply.status, reply.headers, reply.body)
        return Reply(status, headers, body, raw=raw)


class Fuzzer:
    """Calls both queues through a proxy that mutates all responses."""

    def __init__(self, seed: int, stack: ExitStack) -> None:
        self._chance = random.Random(seed)
        self._simulator = Simulator()
        served = stack.enter_context(ServedSimulator(self._simulator))
        self.proxy = MutatingProxy(served.endpoint_url, self._chance)
        self.proxy.start()
        stack.callback(self.proxy.stop)
        self._boto = boto_client(endpoint_url=self.proxy.endpoint_url)
        stack.callback(self._boto.close)
        self._simulator.create_queue("dead")
        arn = self._simulator.queue("dead").arn
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1000})
        self._clients = [self._client("work", RedrivePolicy=policy), self._client("work.fifo")]
        self.wrong: list[str] = []
        self.outcomes: Counter[str] = Counter()

    def _client(self, name: str, **attributes: str) -> BotoClient:
        self._simulator.create_queue(name, **attributes)
        info = QueueInfo(self._simulator.queue(name).url, name, name.endswith(".fifo"))
        return BotoClient(self._boto, self._boto, info, self._connection(name))

    def _connection(self, name: str) -> Connection:
        return Connection(queue=name, region=REGION, endpoint_url=self.proxy.endpoint_url)

    def run(self, answers: int) -> None:
        """Make calls until so many responses have been mutated."""
        calls: list[Callable[[BotoClient], object]] = [
            self._receive, self._send, self._delete, self._extend, self._state, self._dead_letters, self._look_up,
        ]  # fmt: skip
        rare: list[Callable[[BotoClient], object]] = [self._list, self._probe]
        number = 0
        while self.proxy.injected.total() < answers:
            number += 1
            call = rare[number // RARE % len(rare)] if number % RARE == 0 else calls[number % len(calls)]
            client = self._chance.choice(self._clients)
            client._dead_letters.clear()
            if number % 500 == 0:
                self._simulator.forget_calls()
                for one in self._clients:
                    self._simulator.purge_queue(one.info.name)
            self._try(call, client)

    def _try(self, call: Callable[[BotoClient], object], client: BotoClient) -> None:
        name = call.__name__.strip("_")
        try:
            call(client)
        except QueueError as error:
            self.outcomes[f"{name}: {error.cause}"] += 1
            if not error.text or "{" in error.text.replace("{0}{place}", ""):
                self.wrong.append(f"{name}: {error.text!r}")
        except Exception as error:  # noqa: BLE001 - these are what is searched for
            self.wrong.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
        else:
            self.outcomes[f"{name}: returned"] += 1

    # The calls

    def _receive(self, client: BotoClient) -> None:
        for number in range(3):
            unique = f"{self._chance.random()}"
            own: Any = {"MessageGroupId": f"g{number}", "MessageDeduplicationId": unique} if client.info.is_fifo else {}
            self._simulator.put(client.info.name, f"body {unique}", **own)
        for message in client.receive(limit=10, wait_s=0, visibility_s=0, attempt_id="a"):
            assert type(message) is Received
            strings = (message.message_id, message.receipt_handle, message.body, message.group_id)
            assert all(type(text) is str for text in strings)
            assert all(text.encode() is not None for text in strings)
            assert message.message_id.isprintable()
            assert message.receipt_handle.isprintable()
            assert type(message.receive_count) is int
            assert 0 <= message.receive_count < 10**9

    def _send(self, client: BotoClient) -> None:
        _check(client.send([Outgoing("body", "g", f"{self._chance.random()}") for _ in range(3)]), 3)

    def _delete(self, client: BotoClient) -> None:
        _check(client.delete([*self._handles(client), "unknown"]))

    def _extend(self, client: BotoClient) -> None:
        _check(client.change_visibility([(handle, 0) for handle in (*self._handles(client), "unknown")]))

    def _handles(self, client: BotoClient) -> list[str]:
        received = self._simulator.run(
            "ReceiveMessage", {"QueueUrl": client.info.url, "MaxNumberOfMessages": 2, "VisibilityTimeout": 5}
        )
        return [message["ReceiptHandle"] for message in received.get("Messages", [])]

    def _state(self, client: BotoClient) -> None:
        state = client.state()
        assert type(state) is QueueState
        numbers = (state.visible, state.in_flight, state.delayed, state.created_at_ms, state.retention_s)
        assert all(type(number) is int and number >= 0 for number in numbers)
        assert type(state.dead_letter_arn) is str

    def _dead_letters(self, client: BotoClient) -> None:
        found = client.dead_letters()
        assert found is None or found.info.url.startswith("http")

    def _look_up(self, client: BotoClient) -> None:
        connection = self._connection(client.info.name)
        try:
            info = _look_up(self._boto, connection)
        except (ClientError, BotoCoreError, OSError, ValueError) as error:
            raise as_queue_error(error, connection, "GetQueueUrl") from error
        assert info.url.startswith("http")
        assert type(info.is_fifo) is bool
        assert type(info.max_message_bytes) is int

    def _list(self, client: BotoClient) -> None:
        for page in list_queues(self._connection(client.info.name), lambda: False):
            assert all(found.name and found.url.startswith("http") for found in page)

    def _probe(self, client: BotoClient) -> None:
        for finding in probe(self._connection(client.info.name), Path("unused"), lambda: False):
            assert finding.text


def _check(results: list[EntryResult], count: int | None = None) -> None:
    assert count is None or len(results) == count
    for result in results:
        assert type(result.message_id) is str
        assert type(result.text) is str
        assert result.trouble is None or type(result.trouble) is QueueTrouble


def fuzz(answers: int, seed: int) -> Fuzzer:
    """Make calls until so many responses have been mutated; return the fuzzer with the results."""
    variables = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
    with ExitStack() as stack, patch.dict(os.environ, variables):
        fuzzer = Fuzzer(seed, stack)
        fuzzer.run(answers)
    return fuzzer


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Mutate the responses of a queue.")
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args(words)
    begun = time.monotonic()
    fuzzer = fuzz(options.answers, options.seed)
    count = fuzzer.proxy.injected.total()
    print(f"seed {options.seed}: {count} mutated responses in {time.monotonic() - begun:.0f} s")  # noqa: T201
    for name, number in sorted(fuzzer.outcomes.items()):
        print(f"  {number:6}  {name}")  # noqa: T201
    for text, number in Counter(fuzzer.wrong).most_common(30):
        print(f"WRONG {number} times: {text}")  # noqa: T201
    return 1 if fuzzer.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
