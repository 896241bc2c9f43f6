"""What the embedded queue serves: SQS, at a cost that does not grow, to programs of this computer only."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from desktop_app.queues.local_facts import LOOPBACK
from desktop_app.queues.local_moto import _RecentHandles
from tests.queues.local_programs import DEADLINE, reset_at_close, sqs

if TYPE_CHECKING:
    from desktop_app.queues.local import LocalQueue


@pytest.fixture
def queue_url(client: Any, request: pytest.FixtureRequest) -> str:
    """A queue of this test's own on the shared server."""
    name = f"q{abs(hash(request.node.nodeid))}"
    return str(client.create_queue(QueueName=name)["QueueUrl"])


def send(client: Any, url: str, count: int) -> None:
    for _ in range(count // 10):
        client.send_message_batch(
            QueueUrl=url, Entries=[{"Id": str(number), "MessageBody": f"{number}"} for number in range(10)]
        )


def receive(client: Any, url: str, **options: Any) -> list[Any]:
    messages: list[Any] = client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"], **options
    ).get("Messages", [])
    return messages


def counts(client: Any, url: str) -> tuple[int, int, int]:
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    visible, in_flight, delayed = (int(attributes[name]) for name in names)
    return visible, in_flight, delayed


def test_region_and_credentials_do_not_matter(shared: LocalQueue) -> None:
    client = sqs(shared, region="eu-central-1")
    assert client.get_queue_url(QueueName="filemill")["QueueUrl"] == shared.queue_url
    client.close()


def test_counts_follow_sending_receiving_deleting_and_purging(client: Any, queue_url: str) -> None:
    send(client, queue_url, 20)
    client.send_message(QueueUrl=queue_url, MessageBody="late", DelaySeconds=60)
    assert counts(client, queue_url) == (20, 0, 1)
    messages = receive(client, queue_url)
    assert counts(client, queue_url) == (10, 10, 1)
    for _ in range(2):  # deleting twice succeeds, as in AWS
        entries = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(messages)]
        answer = client.delete_message_batch(QueueUrl=queue_url, Entries=entries)
        assert len(answer["Successful"]) == 10
    assert counts(client, queue_url) == (10, 0, 1)
    client.purge_queue(QueueUrl=queue_url)
    assert counts(client, queue_url) == (0, 0, 0)
    assert receive(client, queue_url) == []


def test_a_handle_that_never_was_is_refused(client: Any, queue_url: str) -> None:
    with pytest.raises(ClientError, match="ReceiptHandleIsInvalid"):
        client.delete_message(QueueUrl=queue_url, ReceiptHandle="none")


def test_a_message_that_was_released_can_still_be_deleted(client: Any, queue_url: str) -> None:
    send(client, queue_url, 10)
    handle = receive(client, queue_url)[0]["ReceiptHandle"]
    client.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=0)
    client.delete_message(QueueUrl=queue_url, ReceiptHandle=handle)
    assert counts(client, queue_url) == (0, 9, 0)


class Poll(threading.Thread):
    """A long poll in the background."""

    def __init__(self, queue: LocalQueue, url: str, seconds: int) -> None:
        super().__init__()
        self._client, self._url, self._seconds = sqs(queue), url, seconds
        self.messages: list[Any] = []
        self.ended_at = 0.0
        self.start()

    def run(self) -> None:
        self.messages = receive(self._client, self._url, WaitTimeSeconds=self._seconds)
        self.ended_at = time.monotonic()
        self._client.close()


@pytest.mark.parametrize("event", ["send", "release", "time-out", "delay"])
def test_a_long_poll_wakes_up_for_what_becomes_visible(
    shared: LocalQueue, client: Any, queue_url: str, event: str
) -> None:
    client.send_message(QueueUrl=queue_url, MessageBody="x", DelaySeconds=1 if event == "delay" else 0)
    if event != "delay":
        [message] = receive(client, queue_url, VisibilityTimeout=1 if event == "time-out" else 60)
    visible_at = time.monotonic() + 1
    poll = Poll(shared, queue_url, 10)
    if event == "send":
        client.send_message(QueueUrl=queue_url, MessageBody="y")
    elif event == "release":
        client.change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    poll.join(DEADLINE)
    assert len(poll.messages) == 1
    assert poll.ended_at < visible_at + 5


@pytest.mark.parametrize("by_reset", [False, True])
def test_a_long_poll_that_was_abandoned_swallows_no_message(
    shared: LocalQueue, client: Any, queue_url: str, by_reset: bool
) -> None:
    body = json.dumps({"QueueUrl": queue_url, "WaitTimeSeconds": 20}).encode()
    host = shared.endpoint_url.removeprefix("http://")
    head = (
        f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((LOOPBACK, int(host.rpartition(":")[2]))) as abandoned:
        abandoned.sendall(head.encode() + body)
        if by_reset:
            reset_at_close(abandoned)
        # Its turn has come before this request's, or comes after and finds it gone.
        client.get_queue_url(QueueName="filemill")
    client.send_message(QueueUrl=queue_url, MessageBody="x")
    poll = Poll(shared, queue_url, 5)
    poll.join(DEADLINE)
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in poll.messages] == ["1"]


def test_dead_letters_move_after_the_last_receive(client: Any, queue_url: str) -> None:
    dead = client.create_queue(QueueName="dead")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    client.set_queue_attributes(QueueUrl=queue_url, Attributes={"RedrivePolicy": policy})
    client.send_message(QueueUrl=queue_url, MessageBody="x")
    [message] = receive(client, queue_url)
    client.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert receive(client, queue_url) == []
    assert counts(client, queue_url) == (0, 0, 0)
    assert [one["Body"] for one in receive(client, dead)] == ["x"]


def test_its_cost_does_not_grow_with_the_backlog(client: Any, queue_url: str) -> None:
    """Moto as it is takes fifty times as long at 2000 messages as at 10."""

    def cycle() -> float:
        before = time.monotonic()
        send(client, queue_url, 10)
        entries = [
            {"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(receive(client, queue_url))
        ]
        assert len(client.delete_message_batch(QueueUrl=queue_url, Entries=entries)["Successful"]) == 10
        return time.monotonic() - before

    send(client, queue_url, 10)
    shallow = min(cycle() for _ in range(5))
    send(client, queue_url, 2000)
    deep = min(cycle() for _ in range(5))
    assert deep < 5 * shallow


def test_connections_stay_open(shared: LocalQueue, client: Any) -> None:
    response = client.get_queue_url(QueueName="filemill")["ResponseMetadata"]
    assert "connection" not in {name.lower() for name in response["HTTPHeaders"]}


def test_an_operation_it_does_not_know_is_refused_and_not_retried(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.start_message_move_task(SourceArn="arn:aws:sqs:us-east-1:123456789012:filemill")
    assert caught.value.response["Error"]["Code"] == "UnsupportedOperation"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_many_at_once_receive_each_message_once(shared: LocalQueue, client: Any, queue_url: str) -> None:
    send(client, queue_url, 200)
    got: list[str] = []

    def consume() -> None:
        mine = sqs(shared)
        while messages := receive(mine, queue_url):
            got.extend(message["MessageId"] for message in messages)
            entries = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(messages)]
            mine.delete_message_batch(QueueUrl=queue_url, Entries=entries)
        mine.close()

    threads = [threading.Thread(target=consume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert len(got) == len(set(got)) == 200
    assert counts(client, queue_url) == (0, 0, 0)


def test_only_the_handles_deleted_last_are_remembered() -> None:
    recent = _RecentHandles()
    recent.update(["first"])
    recent.update(f"{number}" for number in range(10_000))
    assert "first" not in recent
    assert "0" in recent
