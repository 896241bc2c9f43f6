"""Malformed responses of a server, one case for each field and each kind of fault."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.domain.errors import Cause, QueueError, QueueTrouble
from desktop_app.queues.connector import _look_up
from desktop_app.queues.errors import as_queue_error
from desktop_app.queues.messages import Outgoing
from tests.helpers.sqs import faults

if TYPE_CHECKING:
    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]

GOOD: dict[str, Any] = {
    "MessageId": "m",
    "ReceiptHandle": "r",
    "Body": "text",
    "Attributes": {"ApproximateReceiveCount": "2", "MessageGroupId": "g"},
}
MISSING = object()


def answer_with(sim: SimulatedSqs, operation: str, result: dict[str, Any]) -> None:
    sim.faults.next(operation, faults.garbage(json.dumps(result).encode(), content_type="application/x-amz-json-1.0"))


def changed(path: str, value: object) -> dict[str, Any]:
    """Return a good message with another value at a path, such as `Attributes.MessageGroupId`."""
    message: dict[str, Any] = json.loads(json.dumps(GOOD))
    *owners, name = path.split(".")
    owner = message
    for one in owners:
        owner = owner[one]
    if value is MISSING:
        del owner[name]
    else:
        owner[name] = value
    return message


BAD_MESSAGES: list[tuple[str, object, str]] = [
    *[(name, MISSING, "is missing") for name in ("MessageId", "ReceiptHandle", "Body")],
    *[(name, None, "is missing") for name in ("MessageId", "ReceiptHandle", "Body")],
    ("Body", ["x"], "is a list instead of a string"),
    ("Body", {"a": 1}, "is an object instead of a string"),
    ("Body", 7, "is a number instead of a string"),
    ("Body", True, "is a boolean instead of a string"),
    ("Body", "\ud800", "is not valid Unicode text"),
    ("MessageId", 7, "is a number instead of a string"),
    ("MessageId", "", "has an invalid value: ''"),
    ("MessageId", "a\x1b[31m", "has an invalid value: 'a\\x1b[31m'"),
    ("MessageId", "m" * 1000, "has an invalid value"),
    ("ReceiptHandle", [["r"]], "is a list instead of a string"),
    ("ReceiptHandle", "a\r\nb", "has an invalid value: 'a\\r\\nb'"),
    ("Attributes", [], "is a list instead of an object"),
    ("Attributes", "none", "is a string instead of an object"),
    *[
        ("Attributes.ApproximateReceiveCount", value, "has an invalid value")
        for value in ("many", "", "NaN", "-1", "1e9", "1.5", "9" * 400, "\N{ARABIC-INDIC DIGIT ONE}")
    ],
    *[
        ("Attributes.ApproximateReceiveCount", value, why)
        for value, why in ((2, "is a number"), (True, "is a boolean"), (float("nan"), "is a number"), ([], "is a list"))
    ],
    ("Attributes.MessageGroupId", ["g"], "is a list instead of a string"),
    ("Attributes.MessageGroupId", "a b", "has an invalid value"),
    ("MD5OfBody", "0" * 32, "does not match the body"),
]


@pytest.mark.parametrize(("field", "value", "why"), BAD_MESSAGES)
def test_message_that_cannot_be_read_is_named_if_it_is_the_only_one(
    sim: SimulatedSqs, field: str, value: object, why: str
) -> None:
    answer_with(sim, "ReceiveMessage", {"Messages": [changed(field, value)]})
    with pytest.raises(QueueError) as error:
        sim.client().receive(limit=10, wait_s=0, visibility_s=30)
    assert error.value.text.startswith("Amazon SQS in eu-west-1 sent a response that Filemill can't understand. ")
    assert f"Its response is invalid: Messages[0].{field} {why}" in error.value.text
    assert (error.value.trouble, error.value.cause) == (QueueTrouble.OFFLINE, Cause.MALFORMED)
    assert error.value.text.isprintable()


@pytest.mark.parametrize(("field", "value", "why"), [*BAD_MESSAGES, ("", None, "")])
def test_message_that_cannot_be_read_is_skipped_if_there_are_others(
    sim: SimulatedSqs, caplog: pytest.LogCaptureFixture, field: str, value: object, why: str
) -> None:
    caplog.set_level(logging.INFO)
    bad = changed(field, value) if field else "no object"
    answer_with(sim, "ReceiveMessage", {"Messages": [GOOD, bad, GOOD]})
    first, second = sim.client().receive(limit=10, wait_s=0, visibility_s=30)
    assert first == second
    assert (first.message_id, first.receipt_handle, first.body) == ("m", "r", "text")
    assert (first.receive_count, first.group_id) == (2, "g")
    assert "1 messages can't be read and are skipped: Messages[1]" in caplog.text


@pytest.mark.parametrize("attributes", [MISSING, None, {}])
def test_attributes_of_a_message_may_be_missing(sim: SimulatedSqs, attributes: object) -> None:
    message = changed("Attributes", attributes) | {"MD5OfBody": hashlib.md5(b"text", usedforsecurity=False).hexdigest()}
    answer_with(sim, "ReceiveMessage", {"Messages": [message]})
    (received,) = sim.client().receive(limit=10, wait_s=0, visibility_s=30)
    assert (received.receive_count, received.group_id) == (1, "")


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ({"Messages": {}}, "Messages is an object instead of a list"),
        ({"Messages": "none"}, "Messages is a string instead of a list"),
        ({"Messages": 0}, "Messages is a number instead of a list"),
        ({"Messages": [[]]}, "Messages[0] is a list instead of an object"),
        ({"Messages": [None]}, "Messages[0] is null instead of an object"),
    ],
)
def test_list_of_messages_of_a_wrong_type_is_named(sim: SimulatedSqs, result: dict[str, Any], why: str) -> None:
    answer_with(sim, "ReceiveMessage", result)
    with pytest.raises(QueueError) as error:
        sim.client().receive(limit=10, wait_s=0, visibility_s=30)
    assert why in error.value.text


DONE = {"Id": "0", "MessageId": "m", "MD5OfMessageBody": hashlib.md5(b"a", usedforsecurity=False).hexdigest()}


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ({}, "Successful is missing"),
        ({"Successful": {}}, "Successful is an object instead of a list"),
        ({"Successful": [7]}, "Successful[0] is a number instead of an object"),
        ({"Successful": [DONE | {"Id": 0}]}, "Successful[0].Id is a number instead of a string"),
        ({"Successful": [DONE | {"MessageId": []}]}, "Successful[0].MessageId is a list instead of a string"),
        ({"Successful": [{"Id": "0", "MessageId": "m"}]}, "Successful[0].MD5OfMessageBody is missing"),
        ({"Failed": [{"Id": "0"}]}, "Failed[0].Code is missing"),
        ({"Failed": [{"Id": "0", "Code": ["x"]}]}, "Failed[0].Code is a list instead of a string"),
        ({"Failed": [{"Id": "0", "Code": "x", "SenderFault": "no"}]}, "Failed[0].SenderFault is a string instead of"),
        ({"Successful": [DONE | {"Id": "9"}]}, "Successful is missing"),
        ({"Successful": [DONE, DONE | {"MessageId": "other"}]}, "Successful is missing"),
    ],
)
def test_batch_result_without_a_usable_entry_is_named(sim: SimulatedSqs, result: dict[str, Any], why: str) -> None:
    answer_with(sim, "SendMessageBatch", result)
    with pytest.raises(QueueError) as error:
        sim.client().send([Outgoing("a")])
    assert why in error.value.text
    assert error.value.cause is Cause.MALFORMED


def test_same_entry_twice_is_taken_once(sim: SimulatedSqs) -> None:
    answer_with(sim, "SendMessageBatch", {"Successful": [DONE, DONE, DONE | {"Id": "7"}]})
    assert [result.message_id for result in sim.client().send([Outgoing("a")])] == ["m"]


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        (MISSING, "Attributes is missing"),
        ([], "Attributes is a list instead of an object"),
        *[
            ({"ApproximateNumberOfMessages": value}, "Attributes.ApproximateNumberOfMessages has an invalid value")
            for value in ("many", "", "-1", "NaN", "1e400", "9" * 30)
        ],
        ({"ApproximateNumberOfMessages": 7}, "Attributes.ApproximateNumberOfMessages is a number instead of a string"),
        ({"CreatedTimestamp": "yesterday"}, "Attributes.CreatedTimestamp has an invalid value: 'yesterday'"),
        ({"MessageRetentionPeriod": "0"}, "Attributes.MessageRetentionPeriod has an invalid value: '0'"),
        ({"MaximumMessageSize": "inf"}, "Attributes.MaximumMessageSize has an invalid value: 'inf'"),
        ({"FifoQueue": "perhaps"}, "Attributes.FifoQueue has an invalid value: 'perhaps'"),
        ({"\x1b[31m": 7}, "Attributes.? is a number instead of a string"),
    ],
)
def test_attribute_of_the_queue_that_cannot_be_used_is_named(sim: SimulatedSqs, attributes: object, why: str) -> None:
    answer_with(sim, "GetQueueAttributes", {} if attributes is MISSING else {"Attributes": attributes})
    with pytest.raises(QueueError) as error:
        sim.client().state()
    assert why in error.value.text


@pytest.mark.parametrize("arn", ["x", "arn:aws:sqs:::", "arn:aws:sqs:eu-west-1:1:a b", ":::::"])
def test_invalid_arn_of_the_dead_letter_queue_is_an_error_of_the_queue(sim: SimulatedSqs, arn: str) -> None:
    attributes = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn})}
    answer_with(sim, "GetQueueAttributes", {"Attributes": attributes})
    with pytest.raises(QueueError, match="RedrivePolicy has an invalid deadLetterTargetArn"):
        sim.client().dead_letters()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (MISSING, "QueueUrl is missing"),
        (["x"], "QueueUrl is a list instead of a string"),
        *[
            (url, "QueueUrl has an invalid value")
            for url in ("", "q", "file:///etc/passwd", "http://q", "http://a/b c")
        ],
    ],
)
def test_queue_url_that_cannot_be_used_is_named(sim: SimulatedSqs, url: object, why: str) -> None:
    connection = sim.client()._connection
    answer_with(sim, "GetQueueUrl", {} if url is MISSING else {"QueueUrl": url})
    control = sim.client()._control
    with pytest.raises(Exception, match=why) as error:
        _look_up(control, connection)
    assert why in as_queue_error(error.value, connection, "GetQueueUrl").text


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("code", [7, None, ["x"], {"a": 1}, "", "#", "A\x1b[31m\r\nFORGED"])
def test_error_with_a_code_of_any_kind_is_an_error_of_the_queue(sim: SimulatedSqs, status: int, code: object) -> None:
    body = json.dumps({"__type": code, "message": code}).encode()
    sim.faults.next("GetQueueAttributes", faults.garbage(body, status=status))
    with pytest.raises(QueueError) as error:
        sim.client().state()
    assert error.value.trouble is QueueTrouble.OFFLINE


def test_nested_error_is_an_error_of_the_queue(sim: SimulatedSqs) -> None:
    sim.faults.next("GetQueueAttributes", faults.garbage(b"[" * 100_000, status=400))
    with pytest.raises(QueueError, match="did not come from"):
        sim.client().state()
