"""Connecting: by name and by URL, with and without credentials, again after errors, without blocking others."""

from __future__ import annotations

import re
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from botocore.httpsession import URLLib3Session

from desktop_app.config.settings import Connection, Settings, connection_from
from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.queues.client import BotoClient
from desktop_app.queues.connector import SqsConnector
from desktop_app.queues.messages import Outgoing
from tests.helpers.sqs import faults
from tests.helpers.sqs.wire import operation_of, parameters_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from tests.helpers.sqs.faults import PassOn
    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]

T = QueueTrouble
ACCOUNT = "123456789012"


class Internet:
    """All HTTP requests of botocore, recorded with their keys; the simulator responds at any address."""

    def __init__(self, sim: SimulatedSqs) -> None:
        self.sim = sim
        self.requests: list[AWSPreparedRequest] = []
        self.closed: list[BaseClient] = []
        self.slept: list[float] = []

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        self.requests.append(request)
        return self.sim.faults.handle(request, self.sim.simulator.answer)

    @property
    def operations(self) -> list[str]:
        return [operation_of(request) for request in self.requests]

    @property
    def addresses(self) -> set[str]:
        return {request.url for request in self.requests}

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Return the access key and region with which each request was signed."""
        scopes = [
            re.search(r"Credential=([^/]+)/\d+/([^/]+)/", _text(r.headers["Authorization"])) for r in self.requests
        ]
        return [(scope[1], scope[2]) for scope in scopes if scope]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.fixture
def internet(sim: SimulatedSqs, monkeypatch: pytest.MonkeyPatch) -> Internet:
    internet = Internet(sim)
    close = BaseClient.close

    def closing(client: BaseClient) -> None:
        internet.closed.append(client)
        close(client)

    monkeypatch.setattr(URLLib3Session, "send", lambda _, request: internet.send(request))
    monkeypatch.setattr(BaseClient, "close", closing)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=internet.slept.append))
    return internet


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(monkeypatch, "AKIAFIRST")


def sign_in(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def connect(connection: Connection) -> BotoClient:
    return SqsConnector(connection).connect()


def refusal(connection: Connection) -> QueueError:
    with pytest.raises(QueueError) as refused:
        connect(connection)
    return refused.value


# Looking up the queue


@pytest.mark.usefixtures("signed_in")
def test_queue_is_found_by_its_name(internet: Internet) -> None:
    url = internet.sim.simulator.create_queue("work", MaximumMessageSize=2048)
    client = connect(Connection(queue="work", region="eu-west-1"))
    assert (client.info.url, client.info.name) == (url, "work")
    assert (client.info.is_fifo, client.info.max_message_bytes) == (False, 2048)
    assert internet.operations == ["GetQueueUrl", "GetQueueAttributes"]
    assert internet.addresses == {"https://sqs.eu-west-1.amazonaws.com/"}
    assert internet.keys[0] == ("AKIAFIRST", "eu-west-1")


@pytest.mark.usefixtures("signed_in")
def test_fifo_queue_is_recognized(internet: Internet) -> None:
    internet.sim.simulator.create_queue("work.fifo")
    assert connect(Connection(queue="work.fifo", region="eu-west-1")).info.is_fifo


@pytest.mark.usefixtures("signed_in")
def test_queue_url_needs_no_look_up_and_contains_its_region(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.sim.simulator.create_queue("work")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    url = f"https://sqs.us-west-2.amazonaws.com/{ACCOUNT}/work"
    client = connect(connection_from(Settings(queue=url), {"AWS_REGION": "eu-west-1"}))
    assert (client.info.url, client.info.name) == (url, "work")
    assert internet.operations == ["GetQueueAttributes"]
    assert internet.addresses == {"https://sqs.us-west-2.amazonaws.com/"}
    assert internet.keys == [("AKIAFIRST", "us-west-2")]


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(("region", "signed_for"), [("", "us-east-1"), ("eu-central-1", "eu-central-1")])
def test_another_server_is_used_at_its_address(internet: Internet, region: str, signed_for: str) -> None:
    internet.sim.simulator.create_queue("work")
    connect(Connection(queue="work", region=region, endpoint_url="https://queues.example:9324"))
    assert internet.addresses == {"https://queues.example:9324/"}
    assert internet.keys[0] == ("AKIAFIRST", signed_for)


@pytest.mark.usefixtures("signed_in")
def test_another_servers_queue_url_names_its_address(internet: Internet) -> None:
    internet.sim.simulator.create_queue("work")
    client = connect(connection_from(Settings(queue="http://queues.example:9324/000000000000/work"), {}))
    assert internet.addresses == {"http://queues.example:9324/"}
    assert parameters_of(internet.requests[0])["QueueUrl"] == client.info.url


@pytest.mark.usefixtures("signed_in")
def test_missing_queue_is_reported(internet: Internet) -> None:
    refused = refusal(Connection(queue="work", region="eu-west-1"))
    assert refused.trouble is T.NO_QUEUE
    assert refused.text.startswith("The queue “work” does not exist on Amazon SQS in eu-west-1. It was deleted, or")
    assert "account of the default profile." in refused.text
    assert len(internet.closed) == 2


@pytest.mark.usefixtures("signed_in")
def test_missing_queue_is_detected_by_url_too(internet: Internet) -> None:
    url = f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/work"
    assert refusal(Connection(queue=url, region="eu-west-1")).trouble is T.NO_QUEUE


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("name", ["work", "work.fifo"])
def test_queue_is_used_by_its_name_without_permission_to_read_attributes(internet: Internet, name: str) -> None:
    internet.sim.simulator.create_queue(name, MaximumMessageSize=2048)
    internet.sim.faults.next("GetQueueAttributes", faults.service_error("AccessDenied", status=403))
    info = connect(Connection(queue=name, region="eu-west-1")).info
    assert (info.is_fifo, info.max_message_bytes) == (name.endswith(".fifo"), 1_048_576)


@pytest.mark.usefixtures("signed_in")
def test_missing_permission_to_look_up_the_queue_is_reported(internet: Internet) -> None:
    internet.sim.faults.next("GetQueueUrl", faults.service_error("AccessDenied", status=403))
    refused = refusal(Connection(queue="work", region="eu-west-1"))
    assert refused.trouble is T.NO_RIGHT
    assert "sqs:GetQueueUrl on “work”" in refused.text


@pytest.mark.usefixtures("signed_in")
def test_session_that_expires_between_the_requests_is_no_missing_permission(internet: Internet) -> None:
    internet.sim.simulator.create_queue("work")
    internet.sim.faults.next("GetQueueAttributes", faults.service_error("ExpiredToken", status=403))
    assert refusal(Connection(queue="work", region="eu-west-1")).trouble is T.SIGNED_OUT


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("operation", ["GetQueueUrl", "GetQueueAttributes"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<html>Sign in</html>", "The response did not come from Amazon SQS in eu-west-1."),
        (b"{}", "Amazon SQS in eu-west-1 sent a response that Filemill can't understand."),
    ],
)
def test_response_of_another_server_is_not_taken_for_a_queue(
    internet: Internet, operation: str, body: bytes, text: str
) -> None:
    internet.sim.simulator.create_queue("work")
    internet.sim.faults.next(operation, faults.garbage(body))
    refused = refusal(Connection(queue="work", region="eu-west-1"))
    assert refused.trouble is T.OFFLINE
    assert refused.text.startswith(text)


# Credentials and configuration


def test_missing_credentials_are_reported(internet: Internet) -> None:
    refused = refusal(Connection(queue="work", region="eu-west-1"))
    assert refused.trouble is T.SIGNED_OUT
    assert refused.text.startswith("No credentials were found for the default profile.")
    assert not internet.requests


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:9324",
        "http://[::1]:9324",
        "http://sqs.localhost:9324",
        "http://192.0.2.1",
        "https://q.example",
    ],
)
def test_server_other_than_aws_needs_no_credentials(internet: Internet, endpoint: str) -> None:
    internet.sim.simulator.create_queue("work")
    connect(Connection(queue="work", endpoint_url=endpoint))
    assert internet.keys[0] == ("local", "us-east-1")


@pytest.mark.usefixtures("signed_in")
def test_server_other_than_aws_gets_existing_credentials(internet: Internet) -> None:
    internet.sim.simulator.create_queue("work")
    connect(Connection(queue="work", endpoint_url="http://127.0.0.1:9324"))
    assert internet.keys[0][0] == "AKIAFIRST"


@pytest.mark.parametrize("endpoint", ["https://sqs-fips.us-east-1.amazonaws.com", "https://sqs.eu-west-1.api.aws"])
def test_aws_gets_no_dummy_credentials(internet: Internet, endpoint: str) -> None:
    assert refusal(Connection(queue="work", region="eu-west-1", endpoint_url=endpoint)).trouble is T.SIGNED_OUT
    assert not internet.requests


def write_config(home: Path, config: str, credentials: str = "") -> None:
    folder = home / ".aws"
    folder.mkdir()
    (folder / "config").write_text(config)
    (folder / "credentials").write_text(credentials)


def test_profile_supplies_region_and_keys(internet: Internet, isolated_environment: Path) -> None:
    internet.sim.simulator.create_queue("work")
    keys = "[team]\naws_access_key_id = AKIATEAM\naws_secret_access_key = s\n"
    write_config(isolated_environment, "[profile team]\nregion = eu-north-1\n", keys)
    connect(Connection(queue="work", profile="team"))
    assert internet.keys[0] == ("AKIATEAM", "eu-north-1")
    assert internet.addresses == {"https://sqs.eu-north-1.amazonaws.com/"}


@pytest.mark.usefixtures("internet")
def test_missing_profile_is_reported() -> None:
    refused = refusal(Connection(queue="work", profile="team", region="eu-west-1"))
    assert refused.trouble is T.SIGNED_OUT
    assert refused.text.startswith("There is no profile “team” in the AWS configuration.")


@pytest.mark.usefixtures("internet", "signed_in")
def test_invalid_configuration_file_is_reported(isolated_environment: Path) -> None:
    write_config(isolated_environment, "[profile team\nregion")
    refused = refusal(Connection(queue="work", region="eu-west-1"))
    assert refused.trouble is T.SETUP
    assert refused.text.startswith("The AWS configuration can't be used. Unable to parse config file")
    assert str(isolated_environment) in refused.text
    assert refused.detail == "", "it would say the same again"


@pytest.mark.usefixtures("internet", "signed_in")
def test_half_a_key_pair_is_no_sign_in(isolated_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    write_config(isolated_environment, "", "[default]\naws_access_key_id = AKIAHALF\n")
    assert refusal(Connection(queue="work", region="eu-west-1")).trouble is T.SIGNED_OUT


@pytest.mark.usefixtures("internet", "signed_in")
def test_missing_region_is_reported_with_a_remedy() -> None:
    refused = refusal(Connection(queue="work"))
    assert refused.trouble is T.SETUP
    assert refused.text.startswith("No region is set.")


@pytest.mark.usefixtures("internet", "signed_in")
@pytest.mark.parametrize(
    ("connection", "environment", "part"),
    [
        (Connection(queue="work", region="eu west"), {}, "The region “eu west” does not exist."),
        (
            Connection(queue="work", endpoint_url="queues.example"),
            {},
            "The address “queues.example” is not valid.",
        ),
        (Connection(queue="work", region="eu-west-1"), {"AWS_DEFAULTS_MODE": "none"}, "invalid defaults mode: none"),
    ],
)
def test_invalid_configuration_is_quoted(
    connection: Connection, environment: Mapping[str, str], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    refused = refusal(connection)
    assert refused.trouble is T.SETUP
    assert part in refused.text


@pytest.mark.usefixtures("signed_in")
def test_bug_is_not_taken_for_an_error_of_the_queue(internet: Internet) -> None:
    def bug(request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        raise ValueError("a bug")

    internet.sim.faults.next("GetQueueUrl", bug)
    with pytest.raises(ValueError, match="a bug"):
        connect(Connection(queue="work", region="eu-west-1"))


# One client, and a new one after an error


@pytest.mark.usefixtures("signed_in")
def test_client_is_created_once(internet: Internet) -> None:
    internet.sim.simulator.create_queue("work")
    connector = SqsConnector(Connection(queue="work", region="eu-west-1"))
    assert not internet.requests
    assert connector.connect() is connector.connect()
    assert len(internet.requests) == 2
    connector.release_abandoned(lambda _: False)
    assert len(internet.requests) == 2, "SQS is not asked who holds what"


@pytest.mark.usefixtures("signed_in")
def test_next_connect_tries_again_after_an_error(internet: Internet) -> None:
    connector = SqsConnector(Connection(queue="work", region="eu-west-1"))
    with pytest.raises(QueueError):
        connector.connect()
    internet.sim.simulator.create_queue("work")
    assert connector.connect().info.name == "work"


@pytest.mark.usefixtures("signed_in")
def test_reset_reads_the_credentials_and_the_queue_again(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    internet.sim.simulator.create_queue("work")
    connector = SqsConnector(Connection(queue="work", region="eu-west-1"))
    first = connector.connect()
    sign_in(monkeypatch, "AKIASECOND")
    internet.sim.simulator.delete_queue("work")
    internet.sim.advance(60)
    internet.sim.simulator.create_queue("work", MaximumMessageSize=4096)
    connector.reset()
    second = connector.connect()
    assert second is not first
    assert second.info.max_message_bytes == 4096
    assert [key for key, _ in internet.keys] == ["AKIAFIRST"] * 2 + ["AKIASECOND"] * 2
    assert len(internet.closed) == 2
    assert first.send([Outgoing("by somebody who still has the old client")])[0].is_done


@pytest.mark.usefixtures("signed_in")
def test_reset_and_close_may_come_any_time(internet: Internet) -> None:
    internet.sim.simulator.create_queue("work")
    connector = SqsConnector(Connection(queue="work", region="eu-west-1"))
    connector.reset()
    connector.connect()
    connector.reset()
    connector.reset()
    connector.connect()
    connector.close()
    connector.close()
    assert len(internet.closed) == 4
    with pytest.raises(QueueError, match="has been closed") as closed:
        connector.connect()
    assert closed.value.trouble is T.OFFLINE
    assert len(internet.requests) == 4


class HangingLookUp:
    """A look-up that blocks until it is released, on a thread."""

    def __init__(self, internet: Internet) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        internet.sim.simulator.create_queue("work")
        internet.sim.faults.next("GetQueueUrl", self._hang)
        self.connector = SqsConnector(Connection(queue="work", region="eu-west-1"))
        self.results: list[object] = []
        self._threads = [self.start()]
        assert self.begun.wait(5)

    def _hang(self, request: AWSPreparedRequest, pass_on: PassOn) -> AWSResponse:
        self.begun.set()
        assert self.go_on.wait(10)
        return pass_on(request)

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._connect)
        thread.start()
        return thread

    def _connect(self) -> None:
        try:
            self.results.append(self.connector.connect())
        except QueueError as error:
            self.results.append(error.text)

    def end(self, *threads: threading.Thread) -> list[object]:
        self.go_on.set()
        for thread in (*self._threads, *threads):
            thread.join(5)
        return self.results


@pytest.mark.usefixtures("signed_in")
def test_concurrent_connects_share_one_client(internet: Internet) -> None:
    hanging = HangingLookUp(internet)
    first, second = hanging.end(hanging.start())
    assert first is second
    assert isinstance(first, BotoClient)
    assert len(internet.requests) == 2


@pytest.mark.usefixtures("signed_in")
def test_reset_does_not_wait_for_a_hung_connect(internet: Internet) -> None:
    hanging = HangingLookUp(internet)
    hanging.connector.reset()
    (client,) = hanging.end()
    assert isinstance(client, BotoClient)


@pytest.mark.usefixtures("signed_in")
def test_closing_does_not_wait_for_a_hung_connect(internet: Internet) -> None:
    hanging = HangingLookUp(internet)
    hanging.connector.close()
    assert hanging.end() == ["The connection to the queue has been closed."]
    assert len(internet.closed) == 2


# Differences between the two clients


@pytest.mark.usefixtures("signed_in")
def test_control_calls_are_retried_and_polls_are_not(internet: Internet) -> None:
    internet.sim.simulator.create_queue("work")
    client = connect(Connection(queue="work", region="eu-west-1"))
    internet.sim.faults.next("SendMessageBatch", faults.service_error("InternalError", status=500))
    assert client.send([Outgoing("a")])[0].is_done
    internet.sim.faults.next("ReceiveMessage", faults.no_connection())
    with pytest.raises(QueueError):
        client.receive(limit=1, wait_s=0, visibility_s=0)
    assert internet.sim.faults.seen["SendMessageBatch"] == 2
    assert internet.sim.faults.seen["ReceiveMessage"] == 1
    assert len(internet.slept) == 1


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("mode", ["legacy", "adaptive", "never"])
def test_environment_does_not_change_retries(internet: Internet, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_RETRY_MODE", mode)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    internet.sim.simulator.create_queue("work")
    client = connect(Connection(queue="work", region="eu-west-1"))
    internet.sim.faults.always(faults.EVERY, faults.service_error("InternalError", status=500))
    with pytest.raises(QueueError):
        client.delete(["x"])
    with pytest.raises(QueueError):
        client.receive(limit=1, wait_s=0, visibility_s=0)
    assert internet.sim.faults.seen["DeleteMessageBatch"] == 2
    assert internet.sim.faults.seen["ReceiveMessage"] == 1


@pytest.mark.usefixtures("signed_in")
def test_poll_outlasts_its_wait_time_but_times_out_soon_after(internet: Internet) -> None:
    internet.sim.simulator.create_queue("work")
    client = connect(Connection(queue="work", region="eu-west-1"))
    control: Any = client._control.meta.config
    receiving: Any = client._receiving.meta.config
    assert (control.connect_timeout, control.read_timeout) == (4, 8)
    assert (receiving.connect_timeout, receiving.read_timeout) == (4, 30)
    assert control.max_pool_connections == receiving.max_pool_connections == 32
    assert control.tcp_keepalive
    assert receiving.tcp_keepalive
