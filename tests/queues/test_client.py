"""The client with all kinds of faults; `test_client_contract.py` tests it without faults."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore import exceptions as boto
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.queues.client import BotoClient
from desktop_app.queues.messages import MAX_ENTRIES, MAX_REQUEST_BYTES, Outgoing, plan_batches
from tests.helpers.sqs import faults
from tests.helpers.sqs.kit import boto_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from tests.helpers.sqs.faults import PassOn
    from tests.helpers.sqs.kit import SimulatedSqs

    Call = Callable[[BotoClient], object]

pytest_plugins = ["tests.helpers.sqs.fixtures"]

T = QueueTrouble
CALLS: dict[str, tuple[str, Call]] = {
    "SendMessageBatch": ("SendMessage", lambda client: client.send([Outgoing("body")])),
    "ReceiveMessage": ("ReceiveMessage", lambda client: client.receive(limit=1, wait_s=0, visibility_s=0)),
    "DeleteMessageBatch": ("DeleteMessage", lambda client: client.delete(["handle"])),
    "ChangeMessageVisibilityBatch": (
        "ChangeMessageVisibility",
        lambda client: client.change_visibility([("handle", 1)]),
    ),
    "GetQueueAttributes": ("GetQueueAttributes", lambda client: client.state()),
}
BATCHES = ["SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"]
each_call = pytest.mark.parametrize("operation", CALLS)


def bodies(*texts: str) -> list[Outgoing]:
    return [Outgoing(text) for text in texts]


def troubles(results: Any) -> list[QueueTrouble | None]:
    return [result.trouble for result in results]


# Requests


def test_batch_is_sent_with_positions_as_ids(sim: SimulatedSqs) -> None:
    sim.client().send(bodies("a", "a", "b"))
    (sent,) = sim.simulator.calls_of("SendMessageBatch")
    assert sent == {
        "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/work",
        "Entries": [{"Id": str(at), "MessageBody": body} for at, body in enumerate(["a", "a", "b"])],
    }


def test_on_fifo_a_message_carries_its_group_and_deduplication_id_and_no_delay(sim: SimulatedSqs) -> None:
    sim.client("work.fifo").send([Outgoing("a", "group", "id")])
    (sent,) = sim.simulator.calls_of("SendMessageBatch")
    assert sent["Entries"] == [
        {"Id": "0", "MessageBody": "a", "MessageGroupId": "group", "MessageDeduplicationId": "id"}
    ]


def test_on_a_standard_queue_no_group_and_no_deduplication_id_is_sent(sim: SimulatedSqs) -> None:
    sim.client().send([Outgoing("a", "group", "id")])
    assert sim.simulator.calls_of("SendMessageBatch")[0]["Entries"] == [{"Id": "0", "MessageBody": "a"}]


def test_receive_sets_its_own_visibility_timeout(sim: SimulatedSqs) -> None:
    client = sim.client(VisibilityTimeout=0)
    client.send(bodies("a"))
    assert client.receive(limit=7, wait_s=20, visibility_s=30)
    assert sim.simulator.calls_of("ReceiveMessage") == [
        {
            "QueueUrl": client.info.url,
            "MaxNumberOfMessages": 7,
            "WaitTimeSeconds": 20,
            "VisibilityTimeout": 30,
            "MessageSystemAttributeNames": ["ApproximateReceiveCount", "MessageGroupId"],
        }
    ]
    sim.advance(29.9)
    assert not client.receive(limit=1, wait_s=0, visibility_s=30)
    sim.advance(0.1)
    assert client.receive(limit=1, wait_s=0, visibility_s=30)


def test_handles_go_out_in_batches_with_positions_as_ids(sim: SimulatedSqs) -> None:
    client = sim.client()
    client.delete(["x", "x"])
    client.change_visibility([("x", 0), ("y", 43_200)])
    assert sim.simulator.calls_of("DeleteMessageBatch")[0]["Entries"] == [
        {"Id": "0", "ReceiptHandle": "x"},
        {"Id": "1", "ReceiptHandle": "x"},
    ]
    assert sim.simulator.calls_of("ChangeMessageVisibilityBatch")[0]["Entries"] == [
        {"Id": "0", "ReceiptHandle": "x", "VisibilityTimeout": 0},
        {"Id": "1", "ReceiptHandle": "y", "VisibilityTimeout": 43_200},
    ]


def test_only_receives_go_through_the_receiving_client(sim: SimulatedSqs) -> None:
    info = sim.client().info
    receiving, control = boto_client(), boto_client()
    sim.faults.attach(receiving, sim.simulator.answer)
    sim.simulator.attach(control)
    client = BotoClient(control, receiving, info, sim.client()._connection)
    for _, call in CALLS.values():
        call(client)
    assert sim.faults.seen == {"ReceiveMessage": 1}
    assert set(sim.simulator.counts()) == set(CALLS)


# Partial responses


def test_each_entry_has_its_own_result(sim: SimulatedSqs) -> None:
    sim.simulator.fail_entries("SendMessageBatch", [1])
    results = sim.client().send(bodies("a", "b", "c\x00", "d"))
    assert troubles(results) == [None, T.OFFLINE, T.REFUSED, None]
    assert results[1].text == "We encountered an internal error. Please try again."
    assert [bool(result.message_id) for result in results] == [True, False, False, True]
    assert sim.simulator.bodies("work") == ["a", "d"]


@pytest.mark.parametrize(
    ("code", "senders_fault", "trouble"),
    [
        ("InternalError", False, T.OFFLINE),
        ("ServiceUnavailable", False, T.OFFLINE),
        ("SomethingNew", False, T.OFFLINE),
        ("SomethingNew", True, T.REFUSED),
        ("InvalidMessageContents", True, T.REFUSED),
        ("InvalidParameterValue", True, T.REFUSED),
        ("AWS.SimpleQueueService.MessageTooLong", True, T.REFUSED),
        ("RequestThrottled", True, T.THROTTLED),
        ("KmsThrottled", True, T.THROTTLED),
        ("AccessDenied", True, T.NO_RIGHT),
    ],
)
def test_entrys_code_decides_and_otherwise_its_sender_fault(
    sim: SimulatedSqs, code: str, senders_fault: bool, trouble: QueueTrouble
) -> None:
    sim.faults.next("SendMessageBatch", faults.entries_fail([0], code, "why", senders_fault=senders_fault))
    (result,) = sim.client().send(bodies("a"))
    assert (result.trouble, result.text, result.is_done) == (trouble, "why", False)


def test_entry_without_a_message_has_its_code(sim: SimulatedSqs) -> None:
    sim.faults.next("SendMessageBatch", faults.entries_fail([0], "InternalError"))
    assert sim.client().send(bodies("a"))[0].text == "InternalError"


def test_entry_missing_in_the_response_has_failed(sim: SimulatedSqs) -> None:
    sim.faults.next("SendMessageBatch", faults.entries_unnamed([0, 2]), times=2)
    results = sim.client().send(bodies("a", "b", "c"))
    assert troubles(results) == [T.OFFLINE, None, T.OFFLINE]
    assert results[0].text == "the queue's response does not mention this entry"


@pytest.mark.parametrize("operation", BATCHES)
def test_response_without_ids_confirms_nothing(sim: SimulatedSqs, operation: str) -> None:
    sim.faults.next(operation, faults.entries_unnamed([0]))
    with pytest.raises(QueueError, match=r"can't understand\. Its response is invalid: Successful is missing") as error:
        CALLS[operation][1](sim.client())
    assert error.value.trouble is T.OFFLINE


def test_order_of_a_response_does_not_matter(sim: SimulatedSqs) -> None:
    client = sim.client("work.fifo")
    sim.faults.next("SendMessageBatch", faults.answer_reversed())
    results = client.send([Outgoing(body, "g", body) for body in "abc"])
    received = client.receive(limit=10, wait_s=0, visibility_s=30)
    assert [result.message_id for result in results] == [message.message_id for message in received]
    assert [message.body for message in received] == ["a", "b", "c"]


def test_entry_in_both_lists_has_failed(sim: SimulatedSqs) -> None:
    def change(result: dict[str, Any]) -> None:
        result["Failed"] = [{"Id": "1", "Code": "InternalError", "SenderFault": False}]

    sim.faults.next("SendMessageBatch", faults.result_changed(change))
    assert troubles(sim.client().send(bodies("a", "b"))) == [None, T.OFFLINE]


@pytest.mark.parametrize("entry_id", ["1", "9", "-1", "", "a", "\N{ARABIC-INDIC DIGIT ZERO}", "0.0", None])
def test_unknown_entries_in_a_response_are_ignored(sim: SimulatedSqs, entry_id: str | None) -> None:
    def change(result: dict[str, Any]) -> None:
        for name in ("Successful", "Failed"):
            result.setdefault(name, []).append({"Id": entry_id, "Code": "InternalError"})

    sim.faults.next("SendMessageBatch", faults.result_changed(change))
    assert troubles(sim.client().send(bodies("a"))) == [None]


def test_message_with_a_wrong_digest_has_failed(sim: SimulatedSqs) -> None:
    sim.faults.next("SendMessageBatch", faults.wrong_md5([1]))
    results = sim.client().send(bodies("a", "b"))
    assert troubles(results) == [None, T.OFFLINE]
    assert results[1].text == "the queue received a different body"


def test_failed_entry_stays_failed_with_any_digest(sim: SimulatedSqs) -> None:
    sim.faults.next("SendMessageBatch", faults.entries_fail([0], "InvalidMessageContents", "x", senders_fault=True))
    assert troubles(sim.client().send(bodies("a"))) == [T.REFUSED]


# Failed requests


@each_call
@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("RequestThrottled", T.THROTTLED),
        ("ExpiredToken", T.SIGNED_OUT),
        ("AccessDenied", T.NO_RIGHT),
        ("AWS.SimpleQueueService.NonExistentQueue", T.NO_QUEUE),
        ("InvalidSecurity", T.SETUP),
        ("InternalError", T.OFFLINE),
    ],
)
def test_failed_call_has_the_kind_of_its_error(
    sim: SimulatedSqs, operation: str, code: str, trouble: QueueTrouble
) -> None:
    sim.faults.next(operation, faults.service_error(code, "AWS's text.", status=403))
    with pytest.raises(QueueError) as error:
        CALLS[operation][1](sim.client())
    assert error.value.trouble is trouble
    assert code in error.value.detail
    assert isinstance(error.value.__cause__, boto.ClientError)


@each_call
def test_missing_permission_is_named_as_in_iam(sim: SimulatedSqs, operation: str) -> None:
    sim.faults.next(operation, faults.service_error("AccessDenied", status=403))
    right, call = CALLS[operation]
    with pytest.raises(QueueError, match=rf"“work”\. You are signed in.* does not allow sqs:{right}\."):
        call(sim.client())


@each_call
@pytest.mark.parametrize(
    "kind", [boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ReadTimeoutError, boto.ConnectionClosedError]
)
def test_missing_connection_means_offline(sim: SimulatedSqs, operation: str, kind: Callable[..., Exception]) -> None:
    sim.faults.next(operation, faults.no_connection(kind))
    with pytest.raises(QueueError, match=r"^Can't reach Amazon SQS in eu-west-1") as error:
        CALLS[operation][1](sim.client())
    assert error.value.trouble is T.OFFLINE


@each_call
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>Sign in</html>", 200),
        (b"caf\xe9", 200),
        (b"caf\xe9", 403),
        (b"[]", 200),
        (b"null", 200),
        (b'"ok"', 200),
        (b"[]", 400),
        (b"[" * 100_000, 200),
    ],
    ids=["page", "Latin-1", "Latin-1 error", "list", "null", "text", "list error", "nesting"],
)
def test_response_of_another_server_means_offline(sim: SimulatedSqs, operation: str, body: bytes, status: int) -> None:
    sim.faults.next(operation, faults.garbage(body, status=status))
    with pytest.raises(QueueError, match=r"^The response did not come from Amazon SQS") as error:
        CALLS[operation][1](sim.client())
    assert error.value.trouble is T.OFFLINE
    assert str(status) in error.value.detail


@each_call
@pytest.mark.parametrize(
    ("body", "status"), [(b"<html>Bad gateway</html>", 502), (b"<html>later</html>", 429), (b"", 503)]
)
def test_error_page_means_offline(sim: SimulatedSqs, operation: str, body: bytes, status: int) -> None:
    sim.faults.next(operation, faults.garbage(body, status=status))
    with pytest.raises(QueueError, match=rf"is temporarily unavailable \({status}\)") as error:
        CALLS[operation][1](sim.client())
    assert error.value.trouble is T.OFFLINE


@each_call
@pytest.mark.parametrize(
    ("body", "status", "title"),
    [
        (b"", 302, "The response did not come from Amazon SQS"),
        (b"<html>not here</html>", 404, "The response did not come from Amazon SQS"),
        (b"<html>no</html>", 407, "A proxy on the way to Amazon SQS in eu-west-1 requires a user name and password"),
    ],
)
def test_page_of_another_server_is_no_fault_of_the_service(
    sim: SimulatedSqs, operation: str, body: bytes, status: int, title: str
) -> None:
    sim.faults.next(operation, faults.garbage(body, status=status))
    with pytest.raises(QueueError) as error:
        CALLS[operation][1](sim.client())
    assert error.value.title.startswith(title)
    assert not error.value.was_answered


def test_bug_is_no_error_of_the_queue(sim: SimulatedSqs) -> None:
    with pytest.raises(boto.ParamValidationError):
        sim.client().receive(limit="ten", wait_s=0, visibility_s=0)  # type: ignore[arg-type]


def test_after_a_lost_reply_the_same_message_may_be_sent_again(sim: SimulatedSqs) -> None:
    for name, arrived in (("work", ["a", "a"]), ("work.fifo", ["a"])):
        client = sim.client(name)
        sim.faults.next("SendMessageBatch", faults.reply_lost())
        with pytest.raises(QueueError) as lost:
            client.send([Outgoing("a", "group", "id")])
        assert lost.value.trouble is T.OFFLINE
        assert troubles(client.send([Outgoing("a", "group", "id")])) == [None]
        assert sim.simulator.bodies(name) == arrived


def test_messages_of_a_lost_receive_become_visible_again(sim: SimulatedSqs) -> None:
    client = sim.client()
    client.send(bodies("a"))
    sim.faults.next("ReceiveMessage", faults.reply_lost(boto.ReadTimeoutError))
    with pytest.raises(QueueError):
        client.receive(limit=1, wait_s=0, visibility_s=30)
    assert client.receive(limit=1, wait_s=0, visibility_s=30) == []
    sim.advance(30)
    (message,) = client.receive(limit=1, wait_s=0, visibility_s=30)
    assert message.receive_count == 2


def test_lost_delete_may_be_repeated(sim: SimulatedSqs) -> None:
    client = sim.client("work.fifo")
    client.send([Outgoing("a", "group", "id")])
    (message,) = client.receive(limit=1, wait_s=0, visibility_s=30)
    sim.faults.next("DeleteMessageBatch", faults.reply_lost())
    with pytest.raises(QueueError):
        client.delete([message.receipt_handle])
    assert troubles(client.delete([message.receipt_handle])) == [None]


# Leases


@pytest.mark.parametrize("name", ["work", "work.fifo"])
def test_lease_renewed_in_time_is_kept(sim: SimulatedSqs, name: str) -> None:
    client = sim.client(name)
    client.send([Outgoing("a", "group", "id")])
    (message,) = client.receive(limit=1, wait_s=0, visibility_s=30)
    for _ in range(20):
        sim.advance(15)
        assert troubles(client.change_visibility([(message.receipt_handle, 30)])) == [None]
        assert client.receive(limit=1, wait_s=0, visibility_s=30) == []
    assert troubles(client.delete([message.receipt_handle])) == [None]
    assert sim.simulator.bodies(name) == []


@pytest.mark.parametrize("name", ["work", "work.fifo"])
def test_lease_ends_after_twelve_hours(sim: SimulatedSqs, name: str) -> None:
    client = sim.client(name)
    client.send([Outgoing("a", "group", "id")])
    (message,) = client.receive(limit=1, wait_s=0, visibility_s=43_200)
    sim.advance(43_190)
    (result,) = client.change_visibility([(message.receipt_handle, 30)])
    assert result.trouble is T.LEASE_LOST
    assert "beyond the limit [43200 seconds]" in result.text
    sim.advance(20)
    assert troubles(client.delete([message.receipt_handle])) == [T.LEASE_LOST]


def test_lost_lease_is_recognized_by_the_shape_alone(sim: SimulatedSqs) -> None:
    text = "Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
    sim.faults.next("DeleteMessageBatch", faults.entries_fail([0], "InvalidParameterValueException", text))
    assert troubles(sim.client().delete(["x"])) == [T.LEASE_LOST]


# The state of the queue


def test_queue_returns_its_counts_and_creation_time(sim: SimulatedSqs) -> None:
    sim.simulator.create_queue("dead")
    arn = sim.simulator.queue("dead").arn
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    client = sim.client(RedrivePolicy=policy, MessageRetentionPeriod=1_209_600)
    made_at = sim.clock.now_ms()  # type: ignore[attr-defined]
    sim.advance(100)
    client.send(bodies(*"abcd"))
    sim.simulator.put("work", "later", DelaySeconds=60)
    client.receive(limit=3, wait_s=0, visibility_s=30)
    state = client.state()
    assert (state.visible, state.in_flight, state.delayed, state.total) == (1, 3, 1, 5)
    assert (state.created_at_ms, state.retention_s, state.dead_letter_arn) == (made_at, 1_209_600, arn)


@pytest.mark.parametrize("policy", ["", "not JSON", "[]", "{}"])
def test_queue_without_counts_is_taken_as_empty(sim: SimulatedSqs, policy: str) -> None:
    def change(result: dict[str, Any]) -> None:
        result["Attributes"] = {"RedrivePolicy": policy, "Unheard": "of"}

    sim.faults.next("GetQueueAttributes", faults.result_changed(change))
    state = sim.client().state()
    assert (state.total, state.created_at_ms, state.retention_s, state.dead_letter_arn) == (0, 0, 345_600, "")


# Unusual responses, and closing


def test_optional_fields_may_be_missing(sim: SimulatedSqs) -> None:
    def change(result: dict[str, Any]) -> None:
        result["Messages"] = [{"MessageId": "id", "ReceiptHandle": "handle", "Body": "", "Unheard": "of"}]
        result["Unheard"] = "of"

    sim.faults.next("ReceiveMessage", faults.result_changed(change))
    (message,) = sim.client().receive(limit=1, wait_s=0, visibility_s=0)
    assert (message.message_id, message.body, message.receive_count, message.group_id) == ("id", "", 1, "")


def test_closing_lets_a_running_poll_end(waiting_sim: SimulatedSqs) -> None:
    client = waiting_sim.client()
    received: list[str] = []
    polling = threading.Event()

    def tell(request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        polling.set()
        return pass_on(request)

    waiting_sim.faults.next("ReceiveMessage", tell)
    poll = threading.Thread(
        target=lambda: received.extend(message.body for message in client.receive(limit=1, wait_s=20, visibility_s=30))
    )
    poll.start()
    assert polling.wait(5)
    client.close()
    client.close()
    waiting_sim.simulator.put("work", "late")
    poll.join(5)
    assert received == ["late"]


# Splitting batches


def test_no_messages_make_no_batches() -> None:
    assert list(plan_batches([])) == []


def test_exactly_the_limit_is_one_batch_and_one_byte_more_is_two() -> None:
    half = "𝄞" * (MAX_REQUEST_BYTES // 8)
    assert list(plan_batches(bodies(half, half))) == [[0, 1]]
    assert list(plan_batches(bodies(half, half, "a"))) == [[0, 1], [2]]
    assert list(plan_batches(bodies(half, half + "a"))) == [[0], [1]]


def test_too_large_message_is_sent_alone() -> None:
    large = "ä" * (MAX_REQUEST_BYTES // 2 + 1)
    assert list(plan_batches(bodies("a", large, "b", "c"))) == [[0], [1], [2, 3]]


LIMIT = 40


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("aä€𝄞"), max_size=12), max_size=60))
@example(["𝄞" * 10])
@example(["𝄞" * 5] * 2)
@example(["a"] * 11)
def test_batches_keep_count_bytes_and_order_and_are_not_smaller_than_need_be(texts: list[str]) -> None:
    messages = bodies(*texts)
    batches = list(plan_batches(messages, max_bytes=LIMIT))
    assert [at for batch in batches for at in batch] == list(range(len(texts)))
    sizes = [sum(len(texts[at].encode()) for at in batch) for batch in batches]
    for batch, size in zip(batches, sizes, strict=True):
        assert 1 <= len(batch) <= MAX_ENTRIES
        assert size <= LIMIT or len(batch) == 1
    for batch, size, following in zip(batches, sizes, batches[1:], strict=False):
        assert len(batch) == MAX_ENTRIES or size + len(texts[following[0]].encode()) > LIMIT


def test_planned_batches_are_within_the_limits(sim: SimulatedSqs) -> None:
    client = sim.client()
    messages = bodies(*["𝄞" * 60_000] * 12, *["x"] * 25)
    batches = list(plan_batches(messages))
    assert all(not any(troubles(client.send([messages[at] for at in batch]))) for batch in batches)
    assert [len(batch) for batch in batches] == [4, 4, 10, 10, 9]
    assert len(sim.simulator.bodies("work")) == 37


def test_error_of_the_dead_letter_queue_names_that_queue(sim: SimulatedSqs) -> None:
    client = sim.client()
    policy = {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:rest", "maxReceiveCount": 5}
    sim.boto().create_queue(QueueName="rest")
    sim.boto().set_queue_attributes(QueueUrl=client.info.url, Attributes={"RedrivePolicy": json.dumps(policy)})
    sim.faults.always("GetQueueUrl", faults.service_error("AccessDenied", status=403))
    with pytest.raises(QueueError, match="No permission for sqs:GetQueueUrl on “rest”"):
        client.dead_letters()
