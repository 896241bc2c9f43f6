"""A pytest plug-in: `pytest_plugins = ["tests.helpers.sqs.fixtures"]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.helpers.sqs.clock import RealClock
from tests.helpers.sqs.kit import SimulatedSqs
from tests.helpers.sqs.moto_process import MotoProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sim() -> Iterator[SimulatedSqs]:
    """Simulate SQS on a clock that the test moves; an empty long poll returns at once."""
    simulated = SimulatedSqs()
    yield simulated
    simulated.close()


@pytest.fixture
def live_sim() -> Iterator[SimulatedSqs]:
    """Simulate SQS on the real clock, for loops on threads; a long poll waits for a message."""
    simulated = SimulatedSqs(RealClock())
    yield simulated
    simulated.close()


@pytest.fixture
def waiting_sim() -> Iterator[SimulatedSqs]:
    """Simulate SQS on a clock that the test moves; a long poll waits for a message or a move of the clock."""
    simulated = SimulatedSqs(waits=True)
    yield simulated
    simulated.close()


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Return the address of a plain moto server. All tests share it, so create a queue for each test."""
    with MotoProcess() as server:
        yield server.endpoint_url
