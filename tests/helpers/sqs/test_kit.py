"""The kit's connectors behave like the program's own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.clock import Clock, SystemClock
from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.queues.client import BotoClient
from desktop_app.queues.messages import Outgoing
from tests.helpers.sqs import faults
from tests.helpers.sqs.clock import VirtualClock
from tests.helpers.sqs.kit import boto_client

if TYPE_CHECKING:
    from desktop_app.queues.connector import QueueConnector
    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]


def test_simulator_alone_answers_a_plain_client(sim: SimulatedSqs) -> None:
    client = boto_client()
    sim.simulator.attach(client)
    url = client.create_queue(QueueName="q")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="hello")
    assert sim.simulator.bodies("q") == ["hello"]


@pytest.mark.parametrize("name", ["work", "work.fifo"])
def test_client_has_its_queue(sim: SimulatedSqs, name: str) -> None:
    info = sim.client(name, MaximumMessageSize=2048).info
    assert (info.name, info.is_fifo, info.max_message_bytes) == (name, name.endswith(".fifo"), 2048)
    assert info.url == sim.simulator.queue(name).url
    assert sim.client(name).info == info
    assert not sim.simulator.calls


def test_connector_keeps_its_client_until_it_is_reset(sim: SimulatedSqs) -> None:
    connector = sim.connector("work.fifo")
    used: QueueConnector = connector
    client = used.connect()
    assert used.connect() is client
    assert client.info.is_fifo
    used.reset()
    assert used.connect() is not client
    used.close()
    used.close()
    assert (connector.made, connector.resets, connector.closes) == (2, 1, 2)


def test_connector_meets_the_same_faults_as_the_real_one(sim: SimulatedSqs) -> None:
    connector = sim.connector()
    sim.faults.next("GetQueueUrl", faults.no_connection())
    with pytest.raises(QueueError) as offline:
        connector.connect()
    sim.simulator.delete_queue("work")
    with pytest.raises(QueueError) as gone:
        connector.connect()
    assert [error.value.trouble for error in (offline, gone)] == [QueueTrouble.OFFLINE, QueueTrouble.NO_QUEUE]


def test_connector_can_raise_an_exception(sim: SimulatedSqs) -> None:
    connector = sim.connector()
    connector.trouble = QueueError("Sign in.", trouble=QueueTrouble.SIGNED_OUT)
    with pytest.raises(QueueError, match=r"Sign in\."):
        connector.connect()
    connector.trouble = None
    assert isinstance(connector.connect(), BotoClient)


def test_queue_and_program_can_share_one_virtual_clock(sim: SimulatedSqs) -> None:
    clock = sim.clock
    assert isinstance(clock, VirtualClock)
    used: Clock = clock
    now, steady = used.now_ms(), used.steady()
    sim.advance(1.5)
    assert (used.now_ms() - now, used.steady() - steady) == (1500, 1.5)
    assert sim.client().state().created_at_ms // 1000 == used.now_ms() // 1000


def test_real_clock_is_the_computers(live_sim: SimulatedSqs) -> None:
    assert abs(live_sim.client().state().created_at_ms - SystemClock().now_ms()) < 5_000


@pytest.mark.parametrize("name", ["work", "work.fifo"])
def test_senders_and_receivers_in_threads_lose_nothing_and_do_nothing_twice(live_sim: SimulatedSqs, name: str) -> None:
    connector = live_sim.connector(name)
    taken: list[str] = []
    sent_all = threading.Event()

    def send(sender: int) -> None:
        for number in range(10):
            body = f"{sender}-{number}"
            assert connector.connect().send([Outgoing(body, str(sender), body)])[0].is_done

    def receive() -> None:
        while True:
            is_last = sent_all.is_set()
            messages = connector.connect().receive(limit=10, wait_s=0 if is_last else 1, visibility_s=30)
            taken.extend(message.body for message in messages)
            if messages:
                connector.connect().delete([message.receipt_handle for message in messages])
            elif is_last:
                return

    senders = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    receivers = [threading.Thread(target=receive) for _ in range(4)]
    for thread in (*senders, *receivers):
        thread.start()
    for thread in senders:
        thread.join(20)
    sent_all.set()
    for thread in receivers:
        thread.join(20)
    assert sorted(taken) == sorted(f"{sender}-{number}" for sender in range(4) for number in range(10))
    assert live_sim.simulator.bodies(name) == []
