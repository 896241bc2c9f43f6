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
    """SQS on a clock that the test moves; an empty long poll answers at once."""
    simulated = SimulatedSqs()
    yield simulated
    simulated.close()


@pytest.fixture
def live_sim() -> Iterator[SimulatedSqs]:
    """SQS on the real clock, for loops that run in threads: a long poll waits for a message."""
    simulated = SimulatedSqs(RealClock())
    yield simulated
    simulated.close()


@pytest.fixture
def waiting_sim() -> Iterator[SimulatedSqs]:
    """SQS on a clock that the test moves; a long poll waits until a message comes or the clock is moved."""
    simulated = SimulatedSqs(waits=True)
    yield simulated
    simulated.close()


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Where a plain moto server answers; one for the whole run, so use a queue of your own."""
    with MotoProcess() as server:
        yield server.endpoint_url
