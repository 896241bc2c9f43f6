"""The simulator's FIFO queues: order within a group, one receiver per group, deduplication for five minutes.

The tests whose names end in `_on_aws` check behaviour that LocalStack's tests record for AWS.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.sqs.one_message import said

if TYPE_CHECKING:
    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]

NAME = "q.fifo"


class Groups:
    """A FIFO queue whose bodies begin with their group: `a1` is the first message of group a."""

    def __init__(self, sim: SimulatedSqs, *bodies: str, **attributes: object) -> None:
        self.sim = sim
        self.sqs = sim.boto()
        self.url = sim.simulator.create_queue(NAME, **attributes)
        self.handles: dict[str, str] = {}
        self.send(*bodies)

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(
                QueueUrl=self.url, MessageBody=body, MessageGroupId=body[0], MessageDeduplicationId=body
            )

    def take(self, limit: int = 10, **more: Any) -> list[str]:
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=limit, **more)
        messages = answer.get("Messages", [])
        self.handles |= {message["Body"]: message["ReceiptHandle"] for message in messages}
        return [message["Body"] for message in messages]

    def delete(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=self.handles[body])

    def change(self, body: str, seconds: int) -> None:
        self.sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=self.handles[body], VisibilityTimeout=seconds
        )


def test_receive_takes_all_it_can_of_one_group_first_on_aws(sim: SimulatedSqs) -> None:
    assert Groups(sim, "a1", "b1", "a2", "a3").take() == ["a1", "a2", "a3", "b1"]


def test_group_in_flight_is_blocked_for_new_messages_too(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1", "a2", "b1")
    assert groups.take(1) == ["a1"]
    groups.send("a3")
    assert groups.take() == ["b1"]
    assert groups.take() == []
    groups.delete("a1")
    assert groups.take() == ["a2", "a3"]


def test_order_is_kept_after_a_visibility_timeout_on_aws(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1", "a2", "a3")
    assert groups.take(VisibilityTimeout=5) == ["a1", "a2", "a3"]
    sim.advance(5)
    assert groups.take() == ["a1", "a2", "a3"]


def test_partly_deleted_group_stays_blocked_on_aws(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1", "b1", "a2", "b2", "a3", "a4", "c1")
    assert groups.take(2) == ["a1", "a2"]
    groups.delete("a1")
    assert groups.take() == ["b1", "b2", "c1"]
    groups.delete("a2")
    assert groups.take() == ["a3", "a4"]


def test_released_message_is_received_while_later_ones_are_in_flight_on_aws(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1", "a2", "b1")
    assert groups.take(2) == ["a1", "a2"]
    groups.change("a1", 0)
    assert groups.take(3) == ["b1", "a1"]


def test_released_message_waits_for_the_earlier_ones(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1", "a2", "a3")
    assert groups.take(2) == ["a1", "a2"]
    groups.change("a2", 0)
    assert groups.take() == []
    groups.change("a1", 0)
    assert groups.take() == ["a1", "a2", "a3"]


@pytest.mark.parametrize(("extended", "expected"), [("a1", []), ("a2", ["a1"]), ("a3", ["a1", "a2"])])
def test_hidden_message_hides_the_later_ones_on_aws(sim: SimulatedSqs, extended: str, expected: list[str]) -> None:
    groups = Groups(sim, "a1", "a2", "a3")
    groups.take(VisibilityTimeout=10)
    groups.change(extended, 40)
    sim.advance(20)
    assert groups.take() == expected


def test_groups_take_turns_on_aws(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1", "b1", "b2", "c1", "a2")
    assert groups.take(3, VisibilityTimeout=0) == ["a1", "a2", "b1"]
    assert groups.take(10, VisibilityTimeout=0) == ["c1", "a1", "a2", "b1", "b2"]


def test_counts_are_of_messages_not_of_groups_on_aws(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1", "a2", "b1", "b2", "c1", "c2")
    assert groups.take(1) + groups.take(1) == ["a1", "b1"]
    counts = sim.simulator.queue(NAME).counts(sim.clock.time())
    assert counts == {
        "ApproximateNumberOfMessages": "4",
        "ApproximateNumberOfMessagesNotVisible": "2",
        "ApproximateNumberOfMessagesDelayed": "0",
    }


def test_sequence_numbers_increase(sim: SimulatedSqs) -> None:
    groups = Groups(sim)
    numbers = [
        int(sim.simulator.run("SendMessage", {**message(str(at)), "QueueUrl": groups.url})["SequenceNumber"])
        for at in range(3)
    ]
    assert numbers == sorted(set(numbers))


def message(dedup: str, group: str = "a", body: str = "body") -> dict[str, str]:
    return {"MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": dedup}


def test_duplicate_gets_the_first_response_and_is_dropped(sim: SimulatedSqs) -> None:
    groups = Groups(sim)
    first, second = (
        sim.simulator.run("SendMessage", {**message("same", body=body), "QueueUrl": groups.url}) for body in "ab"
    )
    assert first["MessageId"] == second["MessageId"]
    assert first["SequenceNumber"] == second["SequenceNumber"]
    assert sim.simulator.bodies(NAME) == ["a"]


def test_deduplication_survives_receive_and_delete_and_lasts_five_minutes_on_aws(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1")
    groups.take()
    groups.delete("a1")
    sim.advance(299)
    groups.send("a1")
    assert groups.take() == []
    sim.advance(1)
    groups.send("a1")
    assert groups.take() == ["a1"]


@pytest.mark.parametrize(("scope", "kept"), [("queue", ["x"]), ("messageGroup", ["x", "y"])])
def test_deduplication_is_per_queue_or_per_group_on_aws(sim: SimulatedSqs, scope: str, kept: list[str]) -> None:
    groups = Groups(sim, DeduplicationScope=scope)
    for group, body in (("a", "x"), ("b", "y")):
        sim.simulator.run("SendMessage", {**message("same", group, body), "QueueUrl": groups.url})
    assert sim.simulator.bodies(NAME) == kept


def test_content_can_be_the_deduplication_id(sim: SimulatedSqs) -> None:
    groups = Groups(sim, ContentBasedDeduplication="true")
    for body in ("same", "same", "other"):
        groups.sqs.send_message(QueueUrl=groups.url, MessageBody=body, MessageGroupId="a")
    groups.sqs.send_message(QueueUrl=groups.url, MessageBody="same", MessageGroupId="a", MessageDeduplicationId="own")
    assert sim.simulator.bodies(NAME) == ["same", "other", "same"]


def test_purge_clears_the_deduplication_on_aws(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1")
    groups.sqs.purge_queue(QueueUrl=groups.url)
    groups.send("a1")
    assert groups.take() == ["a1"]


BAD_IDS: list[tuple[dict[str, Any], str]] = [
    ({"MessageGroupId": "a"}, "InvalidParameterValue"),
    ({"MessageDeduplicationId": "1"}, "MissingParameter"),
    ({"MessageGroupId": "a b", "MessageDeduplicationId": "1"}, "InvalidParameterValue"),
    ({"MessageGroupId": "a" * 129, "MessageDeduplicationId": "1"}, "InvalidParameterValue"),
    ({"MessageGroupId": "a", "MessageDeduplicationId": "ä"}, "InvalidParameterValue"),
    ({"MessageGroupId": "a", "MessageDeduplicationId": ""}, "InvalidParameterValue"),
    ({"MessageGroupId": "a", "MessageDeduplicationId": "1", "DelaySeconds": 1}, "InvalidParameterValue"),
]


@pytest.mark.parametrize(("ids", "code"), BAD_IDS)
def test_missing_or_invalid_ids_are_rejected(sim: SimulatedSqs, ids: dict[str, Any], code: str) -> None:
    groups = Groups(sim)
    assert said(lambda: groups.sqs.send_message(QueueUrl=groups.url, MessageBody="x", **ids)).startswith(code)


def test_one_missing_id_rejects_the_whole_batch_on_aws(sim: SimulatedSqs) -> None:
    groups = Groups(sim)
    entries: list[Any] = [
        {"Id": "0", **message("1")},
        {"Id": "1", "MessageBody": "x", "MessageGroupId": "a"},
    ]
    refusal = said(lambda: groups.sqs.send_message_batch(QueueUrl=groups.url, Entries=entries))
    assert refusal.startswith("InvalidParameterValue: The queue should either have ContentBasedDeduplication")
    assert sim.simulator.bodies(NAME) == []


def test_standard_queue_accepts_a_group_but_no_deduplication_id(sim: SimulatedSqs) -> None:
    url = sim.simulator.create_queue("q")
    sqs = sim.boto()
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="tenant")
    (received,) = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["MessageGroupId"])["Messages"]
    assert received["Attributes"] == {"MessageGroupId": "tenant"}
    refusal = said(lambda: sqs.send_message(QueueUrl=url, MessageBody="x", MessageDeduplicationId="1"))
    assert refusal.startswith("InvalidParameterValue")


def test_delay_of_the_queue_keeps_the_order_on_aws(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1", "a2", DelaySeconds=10)
    groups.sqs.set_queue_attributes(QueueUrl=groups.url, Attributes={"DelaySeconds": "0"})
    groups.send("a3")
    sim.advance(9)
    assert groups.take() == []
    sim.advance(1)
    assert groups.take() == ["a1", "a2", "a3"]


def test_dead_lettered_message_is_moved_and_frees_its_group_on_aws(sim: SimulatedSqs) -> None:
    sim.simulator.create_queue("dead.fifo", ContentBasedDeduplication="true")
    dead = sim.simulator.queue("dead.fifo")
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2})
    groups = Groups(sim, "a1", "a2", RedrivePolicy=policy)
    sim.advance(100)
    for _ in range(2):
        assert groups.take(1, VisibilityTimeout=0) == ["a1"]
    assert groups.take(1) == ["a2"]
    (letter,) = dead.messages(sim.clock.time())
    assert (letter.body, letter.deduplication_id, letter.sent_at) == ("a1", letter.message_id, sim.clock.time())


def test_repeated_attempt_gets_the_same_messages_and_handles(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1", "a2", "b1")
    first = groups.take(2, ReceiveRequestAttemptId="try", VisibilityTimeout=30)
    handles = dict(groups.handles)
    sim.advance(20)
    assert groups.take(2, ReceiveRequestAttemptId="try", VisibilityTimeout=30) == first == ["a1", "a2"]
    assert groups.handles == handles
    sim.advance(20)
    assert groups.take(ReceiveRequestAttemptId="other") == ["b1"]


@pytest.mark.parametrize("touch", ["deleted", "expired", "released", "five minutes"])
def test_attempt_whose_messages_have_changed_is_a_new_one(sim: SimulatedSqs, touch: str) -> None:
    groups = Groups(sim, "a1", "a2")
    groups.take(1, ReceiveRequestAttemptId="try", VisibilityTimeout=30)
    handle = groups.handles["a1"]
    match touch:
        case "deleted":
            groups.delete("a1")
        case "expired":
            sim.advance(30)
        case "released":
            groups.change("a1", 0)
        case _:
            groups.change("a1", 1000)
            sim.advance(300)
    taken = groups.take(1, ReceiveRequestAttemptId="try")
    assert taken == {"deleted": ["a2"], "five minutes": []}.get(touch, ["a1"])
    assert (groups.handles["a1"] == handle) is (touch in {"deleted", "five minutes"})


def test_too_many_in_flight_is_never_an_error(sim: SimulatedSqs) -> None:
    groups = Groups(sim, "a1", "b1")
    sim.simulator.limit_in_flight(1)
    assert groups.take() == ["a1"]
    assert groups.take(WaitTimeSeconds=0) == []
