"""The simulator rejects the same bodies, batches and queues as SQS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.helpers.sqs.checks import MAX_BATCH_BYTES
from tests.helpers.sqs.errors import SqsError
from tests.helpers.sqs.one_message import OneMessageQueue, said

if TYPE_CHECKING:
    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]


@pytest.mark.parametrize(
    ("body", "is_legal"),
    [
        ("\t\n\r ~\ud7ff\ue000\ufffd\U00010000\U0010ffff", True),
        ("\x00", False),
        ("\x08", False),
        ("\x0b", False),
        ("\x1f", False),
        ("\ufffe", False),
        ("\uffff", False),
        ("\ud800", False),
    ],
)
def test_bodies_have_the_characters_of_xml_only(sim: SimulatedSqs, body: str, is_legal: bool) -> None:
    queue = OneMessageQueue(sim, "q")
    answer = said(lambda: queue.sqs.send_message(QueueUrl=queue.url, MessageBody=body))
    assert answer.startswith("" if is_legal else "InvalidMessageContents: ")
    assert len(sim.simulator.bodies("q")) == 1 + is_legal


@pytest.mark.parametrize(
    ("entry", "answer"),
    [
        ({"MessageBody": ""}, "MissingParameter: The request must contain the parameter MessageBody."),
        ({"MessageBody": "x", "DelaySeconds": 901}, "InvalidParameterValue: DelaySeconds must be >= 0 and <= 900."),
        ({"MessageBody": "x", "DelaySeconds": -1}, "InvalidParameterValue: DelaySeconds must be >= 0 and <= 900."),
    ],
)
def test_empty_body_and_invalid_delay_are_rejected(sim: SimulatedSqs, entry: dict[str, Any], answer: str) -> None:
    queue = OneMessageQueue(sim, "q")
    assert said(lambda: queue.sqs.send_message(QueueUrl=queue.url, **entry)) == answer


def test_invalid_entry_fails_alone(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    entries: list[Any] = [{"Id": str(at), "MessageBody": "\x01" if at == 3 else "fine"} for at in range(10)]
    answer = queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [
        ("3", "InvalidMessageContents", True)
    ]
    assert [entry["Id"] for entry in answer["Successful"]] == [str(at) for at in range(10) if at != 3]


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "EmptyBatchRequest"),
        ([{"Id": str(at), "MessageBody": "x"} for at in range(11)], "TooManyEntriesInBatchRequest"),
        ([{"Id": "same", "MessageBody": "x"}] * 2, "BatchEntryIdsNotDistinct"),
        ([{"Id": "a:b", "MessageBody": "x"}], "InvalidBatchEntryId"),
        ([{"Id": "a" * 81, "MessageBody": "x"}], "InvalidBatchEntryId"),
        ([{"Id": "", "MessageBody": "x"}], "InvalidBatchEntryId"),
    ],
)
def test_invalid_batch_is_rejected_as_a_whole(sim: SimulatedSqs, entries: list[Any], code: str) -> None:
    queue = OneMessageQueue(sim, "q")
    with pytest.raises(ClientError) as refused:
        queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    assert refused.value.response["Error"]["Code"] == f"AWS.SimpleQueueService.{code}"
    assert sim.simulator.bodies("q") == ["body"]


def test_batch_is_limited_to_one_mebibyte_of_utf8(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    half = "𝄞" * (MAX_BATCH_BYTES // 8)
    fits: list[Any] = [{"Id": "0", "MessageBody": half}, {"Id": "1", "MessageBody": half}]
    assert len(queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=fits)["Successful"]) == 2
    one_more: list[Any] = [*fits, {"Id": "2", "MessageBody": "x"}]
    assert said(lambda: queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=one_more)) == (
        "AWS.SimpleQueueService.BatchRequestTooLong: "
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."
    )


def test_message_with_attributes_is_limited_to_the_maximum_of_the_queue(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"MaximumMessageSize": "1024"})
    attributes: Any = {"name": {"DataType": "String", "StringValue": "ä"}}
    entries: list[Any] = [
        {"Id": "0", "MessageBody": "a" * 1024},
        {"Id": "1", "MessageBody": "ä" * 513},
        {"Id": "2", "MessageBody": "a" * 1012, "MessageAttributes": attributes},
        {"Id": "3", "MessageBody": "a" * 1013, "MessageAttributes": attributes},
    ]
    answer = queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["0", "2"]
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [
        ("1", "InvalidParameterValue", True),
        ("3", "InvalidParameterValue", True),
    ]


def test_message_attributes_come_back_and_are_ten_at_most(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    queue.delete(queue.handle())
    one: Any = {"DataType": "String", "StringValue": "v"}
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="x", MessageAttributes={"a": one})
    assert queue.receive(MessageAttributeNames=["All"])[0]["MessageAttributes"] == {"a": one}
    many = {f"a{number}": one for number in range(11)}
    refusal = said(lambda: queue.sqs.send_message(QueueUrl=queue.url, MessageBody="x", MessageAttributes=many))
    assert refusal.startswith("InvalidParameterValue")


def test_message_received_too_often_is_moved_to_the_dead_letter_queue(sim: SimulatedSqs) -> None:
    dead = OneMessageQueue(sim, "dead")
    dead.delete(dead.handle())
    queue = OneMessageQueue(sim, "q")
    policy = json.dumps({"deadLetterTargetArn": sim.simulator.queue("dead").arn, "maxReceiveCount": 2})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"RedrivePolicy": policy})
    (first,) = queue.receive(VisibilityTimeout=0)
    queue.handle(VisibilityTimeout=0)
    assert queue.receive() == []
    assert queue.is_empty
    (letter,) = dead.receive(MessageSystemAttributeNames=["All"])
    assert letter["MessageId"] == first["MessageId"]
    assert letter["Attributes"]["ApproximateReceiveCount"] == "3"
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == sim.simulator.queue("q").arn
    assert said(lambda: queue.delete(first["ReceiptHandle"])) == ""
    assert not dead.is_empty


def test_message_stays_if_its_dead_letter_queue_is_missing(sim: SimulatedSqs) -> None:
    sim.simulator.create_queue("dead")
    queue = OneMessageQueue(sim, "q")
    policy = json.dumps({"deadLetterTargetArn": sim.simulator.queue("dead").arn, "maxReceiveCount": 1})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"RedrivePolicy": policy})
    sim.simulator.delete_queue("dead")
    queue.handle(VisibilityTimeout=0)
    assert queue.handle(VisibilityTimeout=0)


def test_too_many_in_flight_is_an_error_for_a_short_poll_and_silence_for_a_long_one(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    queue.put("second")
    sim.simulator.limit_in_flight(1)
    assert len(queue.receive()) == 1
    assert queue.receive(WaitTimeSeconds=1) == []
    with pytest.raises(ClientError, match="OverLimit"):
        queue.receive(WaitTimeSeconds=0)


def test_unknown_action_is_an_error_of_the_test(sim: SimulatedSqs) -> None:
    with pytest.raises(AssertionError, match="does not know ListQueueTags"):
        sim.simulator.run("ListQueueTags", {})


# Queues


def test_missing_queue_is_reported_in_both_spellings(sim: SimulatedSqs) -> None:
    with pytest.raises(ClientError) as missing:
        sim.boto().get_queue_url(QueueName="nowhere")
    assert missing.value.response["Error"] == {
        "Code": "AWS.SimpleQueueService.NonExistentQueue",
        "QueryErrorCode": "QueueDoesNotExist",
        "Type": "Sender",
        "Message": "The specified queue does not exist.",
    }


def test_name_of_a_deleted_queue_is_reserved_for_a_minute(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    queue.sqs.delete_queue(QueueUrl=queue.url)
    assert said(queue.receive).startswith("AWS.SimpleQueueService.NonExistentQueue")
    sim.advance(59)
    assert said(lambda: queue.sqs.create_queue(QueueName="q")).startswith("AWS.SimpleQueueService.QueueDeletedRecently")
    sim.advance(1)
    assert queue.sqs.create_queue(QueueName="q")["QueueUrl"] == queue.url
    assert queue.is_empty


def test_purge_deletes_everything_and_is_allowed_once_a_minute(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    queue.handle()
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="late", DelaySeconds=9)
    queue.sqs.purge_queue(QueueUrl=queue.url)
    assert queue.is_empty
    sim.advance(59)
    with pytest.raises(ClientError) as busy:
        queue.sqs.purge_queue(QueueUrl=queue.url)
    assert busy.value.response["Error"]["Code"] == "AWS.SimpleQueueService.PurgeQueueInProgress"
    assert busy.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    sim.advance(1)
    queue.sqs.purge_queue(QueueUrl=queue.url)


@pytest.mark.parametrize(
    ("name", "attributes", "code"),
    [
        ("a b", {}, "InvalidParameterValue"),
        ("a" * 81, {}, "InvalidParameterValue"),
        ("a.fifo", {}, "InvalidParameterValue"),
        ("a", {"FifoQueue": "true"}, "InvalidParameterValue"),
        ("a", {"FifoQueue": "false"}, "InvalidAttributeName"),
        ("a", {"ContentBasedDeduplication": "true"}, "InvalidAttributeName"),
        ("a", {"QueueArn": "mine"}, "InvalidAttributeName"),
        ("a", {"Nonsense": "1"}, "InvalidAttributeName"),
        ("a", {"VisibilityTimeout": "43201"}, "InvalidAttributeValue"),
        ("a", {"MaximumMessageSize": "1023"}, "InvalidAttributeValue"),
        ("a", {"SqsManagedSseEnabled": "perhaps"}, "InvalidAttributeValue"),
        ("a", {"RedrivePolicy": "{"}, "InvalidAttributeValue"),
        ("a", {"RedrivePolicy": '{"deadLetterTargetArn": "x", "maxReceiveCount": 0}'}, "InvalidAttributeValue"),
        ("a", {"RedrivePolicy": '{"deadLetterTargetArn": "x", "maxReceiveCount": 1}'}, "InvalidParameterValue"),
        ("a.fifo", {"FifoQueue": "true", "DeduplicationScope": "all"}, "InvalidAttributeValue"),
    ],
)
def test_invalid_queue_is_rejected(sim: SimulatedSqs, name: str, attributes: Any, code: str) -> None:
    assert said(lambda: sim.boto().create_queue(QueueName=name, Attributes=attributes)).startswith(code)


def test_the_kinds_of_queue_and_dead_letter_queue_must_match(sim: SimulatedSqs) -> None:
    sim.simulator.create_queue("dead")
    policy = json.dumps({"deadLetterTargetArn": sim.simulator.queue("dead").arn, "maxReceiveCount": 3})
    with pytest.raises(SqsError, match="must be same type"):
        sim.simulator.create_queue("q.fifo", RedrivePolicy=policy)


def test_creating_a_queue_twice_requires_the_same_attributes(sim: SimulatedSqs) -> None:
    sqs = sim.boto()
    url = sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "1"})["QueueUrl"]
    assert sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "1"})["QueueUrl"] == url
    assert sqs.create_queue(QueueName="q")["QueueUrl"] == url
    assert said(lambda: sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "2"})) == (
        "QueueAlreadyExists: A queue already exists with the same name and a different value for attribute DelaySeconds"
    )


def test_only_requested_attributes_are_returned(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q.fifo")
    everything = queue.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])["Attributes"]
    assert everything["FifoQueue"] == "true"
    assert everything["QueueArn"] == "arn:aws:sqs:eu-west-1:123456789012:q.fifo"
    assert everything["ApproximateNumberOfMessages"] == "1"
    assert "Attributes" not in queue.sqs.get_queue_attributes(QueueUrl=queue.url)
    wrong: Any = ["Nonsense"]
    assert said(lambda: queue.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=wrong)) == (
        "InvalidAttributeName: Unknown Attribute Nonsense."
    )
    assert said(lambda: queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"FifoQueue": "true"})) == (
        "InvalidAttributeValue: Modifying queue type is not supported."
    )


def test_queues_are_listed_by_prefix(sim: SimulatedSqs) -> None:
    urls = [sim.simulator.create_queue(name) for name in ("a1", "a2", "b1")]
    assert sim.boto().list_queues(QueueNamePrefix="a")["QueueUrls"] == urls[:2]
    assert "QueueUrls" not in sim.boto().list_queues(QueueNamePrefix="c")
