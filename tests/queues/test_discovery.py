"""Listing queues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import Cause, QueueError
from desktop_app.queues import discovery as listing
from desktop_app.queues.discovery import list_queues, look_in_regions
from desktop_app.queues.errors import known_regions
from tests.helpers.sqs.faults import garbage, service_error
from tests.helpers.sqs.internet import Internet

if TYPE_CHECKING:
    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]

AWS = Connection(queue="work", region="eu-west-1")


@pytest.fixture
def internet(sim: SimulatedSqs, monkeypatch: pytest.MonkeyPatch) -> Internet:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "B")
    for name in ("work", "other", "work.fifo"):
        sim.simulator.create_queue(name)
    made = Internet(sim)
    made.install(monkeypatch)
    return made


def test_regions_are_known_without_a_request() -> None:
    assert {"eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"} <= set(known_regions())


@pytest.mark.usefixtures("internet")
def test_queues_are_listed_with_their_place() -> None:
    pages = list(list_queues(AWS, lambda: False))
    queues = [queue for page in pages for queue in page]
    assert {queue.name for queue in queues} == {"work", "other", "work.fifo"}
    assert {queue.region for queue in queues} == {"eu-west-1"}
    assert all(queue.url.endswith(queue.name) for queue in queues)


@pytest.mark.usefixtures("internet")
def test_queues_are_listed_by_page_until_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)
    assert [len(page) for page in list_queues(AWS, lambda: False)] == [1, 1, 1]
    assert [len(page) for page in list_queues(AWS, lambda: True)] == [1]
    monkeypatch.setattr(listing, "MOST", 2)
    assert [len(page) for page in list_queues(AWS, lambda: False)] == [1, 1]


def test_missing_permission_to_list_is_reported(internet: Internet) -> None:
    internet.sim.faults.always("ListQueues", service_error("AccessDenied", "no", status=403))
    with pytest.raises(QueueError) as refused:
        list(list_queues(AWS, lambda: False))
    assert refused.value.cause is Cause.NO_RIGHT
    assert "sqs:ListQueues" in refused.value.text


@pytest.mark.usefixtures("internet")
def test_missing_profile_lists_nothing() -> None:
    gone = Connection(queue="any", region="eu-west-1", profile="gone")
    for ask in (lambda: list(list_queues(gone, lambda: False)), lambda: look_in_regions(gone, lambda: False)):
        with pytest.raises(QueueError) as refused:
            ask()
        assert refused.value.cause is Cause.NO_SIGN_IN


def test_queue_is_found_in_other_regions_of_the_same_kind(internet: Internet) -> None:
    internet.regions = {"eu-central-1", "us-west-2", "cn-north-1"}
    assert {found.region for found in look_in_regions(AWS, lambda: False)} == {"eu-central-1", "us-west-2"}
    assert "sqs.eu-west-1.amazonaws.com" not in internet.asked
    china = Connection(queue="work", region="cn-northwest-1")
    assert [found.region for found in look_in_regions(china, lambda: False)] == ["cn-north-1"]
    assert look_in_regions(AWS, lambda: True) == []


@pytest.mark.parametrize("url", [7, "https://sqs.us-west-2.amazonaws.com/1/work\x1b[31m", None])
def test_region_with_a_malformed_response_is_skipped(internet: Internet, url: object) -> None:
    internet.regions = {"us-west-2"}
    body = json.dumps({"QueueUrl": url}).encode()
    internet.sim.faults.always("GetQueueUrl", garbage(body, content_type="application/x-amz-json-1.0"))
    assert look_in_regions(AWS, lambda: False) == []
    assert "sqs.us-west-2.amazonaws.com" in internet.asked
