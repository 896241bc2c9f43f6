"""The simulator's receipt handles and visibility timeouts behave as AWS documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.sqs.one_message import OneMessageQueue, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]

TWELVE_HOURS = 43_200
EXPIRED = "InvalidParameterValue: The receipt handle has expired."
NOT_AVAILABLE = "InvalidParameterValue: Message does not exist or is not available for visibility timeout change."
TWELVE = "InvalidParameterValue: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]."
NOT_VALID = "ReceiptHandleIsInvalid: is not a valid receipt handle."


def in_flight(queue: OneMessageQueue) -> str:
    return queue.handle()


def expired(queue: OneMessageQueue) -> str:
    handle = queue.handle(VisibilityTimeout=10)
    queue.sim.advance(11)
    return handle


def received_again(queue: OneMessageQueue) -> str:
    handle = expired(queue)
    queue.handle(VisibilityTimeout=50)
    return handle


def received_again_and_expired(queue: OneMessageQueue) -> str:
    handle = received_again(queue)
    queue.sim.advance(51)
    return handle


def deleted(queue: OneMessageQueue) -> str:
    handle = queue.handle()
    queue.delete(handle)
    return handle


def garbage(queue: OneMessageQueue) -> str:
    return "garbage"


def of_another_queue(queue: OneMessageQueue) -> str:
    return OneMessageQueue(queue.sim, "other").handle()


def older_than_twelve_hours(queue: OneMessageQueue) -> str:
    handle = queue.handle()
    queue.sim.advance(TWELVE_HOURS + 1)
    return handle


@dataclass(frozen=True)
class Row:
    """A line of the table: the responses to DeleteMessage and ChangeMessageVisibility, and whether it is gone."""

    state: Callable[[OneMessageQueue], str]
    queue: str
    delete: str
    is_gone: bool
    change: str

    def __str__(self) -> str:
        return f"{self.state.__name__}-{self.queue}"


HANDLES = [
    Row(in_flight, "q", "", True, ""),
    Row(in_flight, "q.fifo", "", True, ""),
    Row(expired, "q", "", True, ""),
    Row(expired, "q.fifo", EXPIRED, False, ""),
    Row(received_again, "q", "", False, NOT_AVAILABLE),
    Row(received_again, "q.fifo", EXPIRED, False, NOT_AVAILABLE),
    Row(received_again_and_expired, "q", "", False, NOT_AVAILABLE),
    Row(received_again_and_expired, "q.fifo", EXPIRED, False, NOT_AVAILABLE),
    Row(deleted, "q", "", True, NOT_AVAILABLE),
    Row(deleted, "q.fifo", "", True, NOT_AVAILABLE),
    Row(garbage, "q", NOT_VALID, False, NOT_VALID),
    Row(garbage, "q.fifo", NOT_VALID, False, NOT_VALID),
    Row(of_another_queue, "q", NOT_VALID, False, NOT_VALID),
    Row(of_another_queue, "q.fifo", NOT_VALID, False, NOT_VALID),
    Row(older_than_twelve_hours, "q", EXPIRED, False, TWELVE),
    Row(older_than_twelve_hours, "q.fifo", EXPIRED, False, TWELVE),
]


@pytest.mark.parametrize("row", HANDLES, ids=str)
def test_delete_with_a_receipt_handle(sim: SimulatedSqs, row: Row) -> None:
    queue = OneMessageQueue(sim, row.queue)
    handle = row.state(queue)
    assert said(lambda: queue.delete(handle)) == row.delete
    assert queue.is_empty is row.is_gone


@pytest.mark.parametrize("row", HANDLES, ids=str)
def test_change_visibility_with_a_receipt_handle(sim: SimulatedSqs, row: Row) -> None:
    queue = OneMessageQueue(sim, row.queue)
    handle = row.state(queue)
    before = queue.sim.simulator.queue(row.queue).counts(sim.clock.time())
    assert said(lambda: queue.change(handle)) == row.change
    after = queue.sim.simulator.queue(row.queue).counts(sim.clock.time())
    if row.change:
        assert after == before
    else:
        assert after["ApproximateNumberOfMessagesNotVisible"] == "1"


@pytest.mark.parametrize("row", HANDLES, ids=str)
def test_batches_answer_an_entry_as_the_single_calls_do(sim: SimulatedSqs, row: Row) -> None:
    queue = OneMessageQueue(sim, row.queue)
    entries: list[Any] = [{"Id": "a", "ReceiptHandle": row.state(queue)}]
    changes: list[Any] = [{**entries[0], "VisibilityTimeout": 100}]
    changed = queue.sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=changes)
    assert [entry["Code"] for entry in changed.get("Failed", [])] == [row.change.split(":")[0]][: bool(row.change)]
    entries[0]["ReceiptHandle"] = row.state(OneMessageQueue(sim, f"b-{row.queue}"))
    gone = queue.sqs.delete_message_batch(QueueUrl=f"b-{row.queue}", Entries=entries)
    assert [entry["Code"] for entry in gone.get("Failed", [])] == [row.delete.split(":")[0]][: bool(row.delete)]
    assert all(entry["SenderFault"] for entry in gone.get("Failed", []))


def test_each_receive_is_counted_and_has_its_own_handle(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    received = [queue.receive(VisibilityTimeout=0, AttributeNames=["All"])[0] for _ in range(3)]
    assert len({message["ReceiptHandle"] for message in received}) == 3
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in received] == ["1", "2", "3"]
    assert len({message["MessageId"] for message in received}) == 1


def test_visibility_is_the_receives_own_else_the_queues(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    queue.handle(VisibilityTimeout=5)
    sim.advance(4.9)
    assert queue.receive() == []
    sim.advance(0.1)
    queue.handle()
    sim.advance(29.9)
    assert queue.receive() == []
    sim.advance(0.1)
    assert queue.handle()


def test_changed_visibility_counts_from_the_call_and_is_not_remembered(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    handle = queue.handle()
    sim.advance(20)
    queue.change(handle, 300)
    sim.advance(299)
    assert queue.receive() == []
    sim.advance(1)
    queue.handle()
    sim.advance(30)
    assert queue.handle()


@pytest.mark.parametrize(
    ("elapsed", "seconds", "works"), [(0, 43_200, True), (3_600, 39_600, True), (3_600, 39_601, False)]
)
def test_visibility_reaches_twelve_hours_from_the_receive_and_no_further(
    sim: SimulatedSqs, elapsed: int, seconds: int, works: bool
) -> None:
    queue = OneMessageQueue(sim, "q")
    handle = queue.handle()
    sim.advance(elapsed)
    assert said(lambda: queue.change(handle, seconds)) == ("" if works else TWELVE)


@pytest.mark.parametrize("seconds", [-1, 43_201])
def test_visibility_out_of_range_is_refused(sim: SimulatedSqs, seconds: int) -> None:
    queue = OneMessageQueue(sim, "q")
    handle = queue.handle()
    assert said(lambda: queue.change(handle, seconds)).startswith("InvalidParameterValue: Must be between 0 and 43200")


def test_old_handle_can_be_made_to_act_as_recorded_on_aws(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    sim.simulator.behaviour.old_handles_change_visibility = True
    handle = received_again(queue)
    queue.change(handle, 0)
    assert queue.handle()


def test_only_requested_system_attributes_are_returned(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    assert "Attributes" not in queue.receive(VisibilityTimeout=0)[0]
    (message,) = queue.receive(MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"])
    assert message["Attributes"] == {"ApproximateReceiveCount": "2"}
    assert message["MD5OfBody"] == "841a2d689ad86bd1611447453c22c6fc"


def test_empty_receive_has_no_messages_key(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    queue.delete(queue.handle())
    answer = queue.sqs.receive_message(QueueUrl=queue.url, WaitTimeSeconds=20)
    assert set(answer) == {"ResponseMetadata"}


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"MaxNumberOfMessages": 0}, "Must be between 1 and 10, if provided."),
        ({"MaxNumberOfMessages": 11}, "Must be between 1 and 10, if provided."),
        ({"WaitTimeSeconds": 21}, "Must be >= 0 and <= 20, if provided."),
        ({"VisibilityTimeout": 43_201}, "Must be >= 0 and <= 43200, if provided."),
    ],
)
def test_receive_parameters_have_ranges(sim: SimulatedSqs, parameters: dict[str, Any], reason: str) -> None:
    queue = OneMessageQueue(sim, "q")
    assert said(lambda: queue.receive(**parameters)) == f"InvalidParameterValue: {reason}"


def test_delayed_message_is_hidden_first(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    queue.delete(queue.handle())
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="later", DelaySeconds=900)
    counts = queue.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["ApproximateNumberOfMessagesDelayed"])
    assert counts["Attributes"] == {"ApproximateNumberOfMessagesDelayed": "1"}
    sim.advance(899)
    assert queue.receive() == []
    sim.advance(1)
    assert queue.handle()


@pytest.mark.parametrize("name", ["q", "q.fifo"])
def test_message_is_deleted_after_its_retention_even_in_flight(sim: SimulatedSqs, name: str) -> None:
    queue = OneMessageQueue(sim, name)
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"MessageRetentionPeriod": "60"})
    sim.advance(55)
    handle = queue.handle(VisibilityTimeout=3)
    sim.advance(6)
    assert queue.receive() == []
    queue.delete(handle)
