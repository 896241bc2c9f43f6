"""The embedded queue's connector, with the real server behind it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.queues.connector import LocalConnector, SqsConnector, connector_for
from desktop_app.queues.local import LocalQueue
from desktop_app.queues.local_facts import facts_file
from desktop_app.queues.messages import Outgoing
from tests.helpers import wait_until
from tests.queues.local_programs import facts_of, kill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop_app.queues.client import QueueClient

AWS_AND_PROXIES = {
    "AWS_PROFILE": "missing",
    "AWS_REGION": "moon-1",
    "AWS_ENDPOINT_URL_SQS": "http://192.0.2.1",
    "AWS_CA_BUNDLE": "/not/there",
    "AWS_RETRY_MODE": "never",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "http_proxy": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "all_proxy": "http://127.0.0.1:9",
}


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def local(run_folder: Path) -> Iterator[Callable[[], LocalConnector]]:
    """Makes connectors of one folder, as several programs have them."""
    made: list[LocalConnector] = []

    def make() -> LocalConnector:
        made.append(LocalConnector(Connection(), run_folder))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


def round_trip(client: QueueClient) -> list[str]:
    assert client.send([Outgoing("hello")])[0].is_done
    messages = client.receive(limit=10, wait_s=5, visibility_s=30)
    client.delete([message.receipt_handle for message in messages])
    return [message.body for message in messages]


def test_a_connection_gets_the_connector_that_fits(run_folder: Path) -> None:
    assert isinstance(connector_for(Connection(queue="work"), run_folder), SqsConnector)
    assert isinstance(connector_for(Connection(), run_folder), LocalConnector)
    assert not run_folder.exists()


def test_the_queue_is_there_when_it_is_needed_and_ends_with_the_last_who_does(
    local: Callable[[], LocalConnector], run_folder: Path
) -> None:
    connector = local()
    assert connector.instance == ""
    client = connector.connect()
    assert (client.info.name, client.info.is_fifo) == ("local", False)
    assert round_trip(client) == ["hello"]
    connector.reset()
    assert connector.connect() is client
    other = local()
    assert round_trip(other.connect()) == ["hello"]
    assert other.instance == connector.instance != ""
    other.close()
    assert round_trip(connector.connect()) == ["hello"]
    connector.close()
    connector.close()
    assert connector.instance == ""
    with pytest.raises(QueueError, match="has been closed") as closed:
        connector.connect()
    assert closed.value.trouble is QueueTrouble.OFFLINE
    wait_until(lambda: not facts_file(run_folder).exists(), timeout=10, what="the server has ended")


def test_a_server_that_died_is_replaced_by_one_that_says_it_is_new(
    local: Callable[[], LocalConnector], run_folder: Path
) -> None:
    connector = local()
    client, instance = connector.connect(), connector.instance
    client.send([Outgoing("lost with the server")])
    kill(facts_of(run_folder).pid)
    with pytest.raises(QueueError, match="Can't reach the local queue") as lost:
        wait_until(lambda: not client.receive(limit=1, wait_s=0, visibility_s=0), timeout=10)
    assert lost.value.trouble is QueueTrouble.OFFLINE
    wait_until(lambda: connector.connect() is not client, timeout=10)
    assert connector.instance not in {"", instance}
    assert round_trip(connector.connect()) == ["hello"]


def test_what_is_meant_for_aws_does_not_touch_the_queue(
    local: Callable[[], LocalConnector], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in AWS_AND_PROXIES.items():
        monkeypatch.setenv(name, value)
    assert round_trip(local().connect()) == ["hello"]


def test_a_broken_aws_configuration_does_not_touch_the_queue(
    local: Callable[[], LocalConnector], isolated_environment: Path
) -> None:
    (isolated_environment / ".aws").mkdir()
    (isolated_environment / ".aws" / "config").write_text("[profile office\nregion")
    assert round_trip(local().connect()) == ["hello"]


def test_an_aws_setting_that_botocore_can_not_bear_is_quoted(
    local: Callable[[], LocalConnector], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULTS_MODE", "none")
    connector = local()
    with pytest.raises(QueueError, match="invalid defaults mode: none") as refused:
        connector.connect()
    assert refused.value.trouble is QueueTrouble.SETUP
    assert connector.instance == ""
    monkeypatch.delenv("AWS_DEFAULTS_MODE")
    assert round_trip(connector.connect()) == ["hello"]


def test_closing_does_not_wait_for_a_start_that_hangs(
    local: Callable[[], LocalConnector], run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting, go_on = threading.Event(), threading.Event()
    attach = LocalQueue.attach

    def slow(folder: Path) -> LocalQueue:
        starting.set()
        assert go_on.wait(10)
        return attach(folder)

    monkeypatch.setattr(LocalQueue, "attach", slow)
    connector = local()
    refused: list[str] = []

    def connect() -> None:
        try:
            connector.connect()
        except QueueError as error:
            refused.append(error.text)

    thread = threading.Thread(target=connect)
    thread.start()
    assert starting.wait(5)
    assert connector.instance == ""
    connector.close()
    go_on.set()
    thread.join(20)
    assert refused == ["The connection to the queue has been closed."]
    wait_until(lambda: not facts_file(run_folder).exists(), timeout=10, what="the server has ended")
