"""The fault layer, in front of a simulator and of a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore import exceptions as boto

from tests.helpers.sqs import faults
from tests.helpers.sqs.faults import FaultLayer
from tests.helpers.sqs.kit import boto_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_sqs.client import SQSClient

    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]


class Target:
    """A client with a fault layer, and the queue behind it."""

    def __init__(self, sqs: SQSClient, layer: FaultLayer, url: str) -> None:
        self.sqs = sqs
        self.faults = layer
        self.url = url

    def send(self, *bodies: str) -> Any:
        entries: list[Any] = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies)]
        return self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def bodies(self) -> list[str]:
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return sorted(message["Body"] for message in answer.get("Messages", []))


@pytest.fixture(params=["simulator", "server"])
def target(request: pytest.FixtureRequest, sim: SimulatedSqs) -> Iterator[Target]:
    if request.param == "simulator":
        yield Target(sim.boto(), sim.faults, sim.simulator.create_queue("q"))
        return
    client = boto_client(endpoint_url=request.getfixturevalue("moto_url"))
    url = client.create_queue(QueueName=f"faults-{id(request)}")["QueueUrl"]
    layer = FaultLayer()
    layer.attach(client)
    yield Target(client, layer, url)
    client.delete_queue(QueueUrl=url)
    client.close()


def test_service_error_has_the_shape_of_sqs(target: Target) -> None:
    target.faults.next("SendMessageBatch", faults.service_error("AWS.SimpleQueueService.NonExistentQueue", "gone"))
    with pytest.raises(boto.ClientError) as error:
        target.send("a")
    assert error.value.response["Error"] == {
        "Code": "AWS.SimpleQueueService.NonExistentQueue",
        "QueryErrorCode": "QueueDoesNotExist",
        "Type": "Sender",
        "Message": "gone",
    }
    assert target.bodies() == []


def test_server_can_return_only_the_shape(target: Target) -> None:
    fault = faults.service_error("InvalidParameterValue", "no", status=503, with_query_code=False)
    target.faults.next("SendMessageBatch", fault)
    with pytest.raises(boto.ClientError) as error:
        target.send("a")
    assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_error_can_be_returned_after_the_work(target: Target) -> None:
    target.faults.next("SendMessageBatch", faults.service_error("InternalError", status=500, after=True))
    with pytest.raises(boto.ClientError):
        target.send("a")
    assert target.bodies() == ["a"]


@pytest.mark.parametrize(
    "kind",
    [
        boto.EndpointConnectionError,
        boto.ConnectTimeoutError,
        boto.ReadTimeoutError,
        boto.SSLError,
        boto.ProxyConnectionError,
    ],
)
def test_missing_connection_does_nothing(target: Target, kind: Callable[..., Exception]) -> None:
    target.faults.next("SendMessageBatch", faults.no_connection(kind))
    with pytest.raises(kind):  # type: ignore[call-overload]
        target.send("a")
    assert target.bodies() == []


def test_lost_reply_follows_the_work(target: Target) -> None:
    target.faults.next("SendMessageBatch", faults.reply_lost())
    with pytest.raises(boto.ConnectionClosedError):
        target.send("a")
    assert target.bodies() == ["a"]


def test_some_entries_fail_and_the_others_are_done(target: Target) -> None:
    target.faults.next(
        "SendMessageBatch", faults.entries_fail([0, 2], "InvalidMessageContents", "x", senders_fault=True)
    )
    answer = target.send("a", "b", "c")
    assert [entry["Id"] for entry in answer["Successful"]] == ["1"]
    assert answer["Failed"] == [
        {"Id": at, "Code": "InvalidMessageContents", "Message": "x", "SenderFault": True} for at in "02"
    ]
    assert target.bodies() == ["b"]


def test_all_entries_can_fail(target: Target) -> None:
    target.faults.next("SendMessageBatch", faults.entries_fail([0, 1]))
    assert [(entry["Id"], entry["SenderFault"]) for entry in target.send("a", "b")["Failed"]] == [
        ("0", False),
        ("1", False),
    ]
    assert target.bodies() == []


def test_some_entries_are_not_named(target: Target) -> None:
    target.faults.next("SendMessageBatch", faults.entries_unnamed([1]))
    answer = target.send("a", "b")
    assert [entry["Id"] for entry in answer["Successful"]] == ["0"]
    assert not answer.get("Failed")
    assert target.bodies() == ["a"]


def test_response_in_another_order(target: Target) -> None:
    target.faults.next("SendMessageBatch", faults.answer_reversed())
    assert [entry["Id"] for entry in target.send("a", "b", "c")["Successful"]] == ["2", "1", "0"]


def test_digest_is_wrong(target: Target) -> None:
    target.faults.next("SendMessageBatch", faults.wrong_md5([1]))
    digests = [entry["MD5OfMessageBody"] for entry in target.send("a", "b")["Successful"]]
    assert digests == ["0cc175b9c0f1b6a831c399e269772661", "0" * 32]


def test_response_of_another_server(target: Target) -> None:
    target.faults.next("SendMessageBatch", faults.garbage(status=502))
    with pytest.raises(boto.ClientError, match="502"):
        target.send("a")
    assert target.bodies() == []


def test_faults_come_in_their_order_and_then_stop(target: Target) -> None:
    target.faults.next("SendMessageBatch", faults.pass_through())
    target.faults.next("SendMessageBatch", faults.no_connection(), times=2)
    assert target.faults.left == 3
    target.send("a")
    for _ in range(2):
        with pytest.raises(boto.EndpointConnectionError):
            target.send("b")
    target.send("c")
    assert target.bodies() == ["a", "c"]
    assert target.faults.left == 0
    assert target.faults.seen == {"SendMessageBatch": 4, "ReceiveMessage": 1}


def test_fault_can_last_until_it_is_healed(target: Target) -> None:
    target.faults.always(faults.EVERY, faults.no_connection())
    target.faults.next("ReceiveMessage", faults.pass_through())
    assert target.bodies() == []
    for _ in range(3):
        with pytest.raises(boto.EndpointConnectionError):
            target.bodies()
    target.faults.heal()
    assert target.bodies() == []
