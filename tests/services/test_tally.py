"""Every received message ends once."""

from __future__ import annotations

import pytest

from desktop_app.services.consuming.in_flight import Fate, InFlightMessage, Tally
from tests.services.fakes import received


def test_received_is_the_sum_of_all_fates_and_what_is_held() -> None:
    tally = Tally()
    tally.receive(len(Fate) + 2)
    for fate in Fate:
        tally.settle(InFlightMessage(received(), 0), fate)
    assert tally.received == sum(tally.of(fate) for fate in Fate) + tally.held
    assert tally.held == 2


def test_a_message_that_is_settled_twice_is_a_bug() -> None:
    tally, held = Tally(), InFlightMessage(received(), 0)
    tally.settle(held, Fate.PROCESSED)
    with pytest.raises(RuntimeError, match="settled twice"):
        tally.settle(held, Fate.LOST)
