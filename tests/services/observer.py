"""What a test sees of the messages a consumer receives, and of what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.services.consuming.consumer import Consumer
    from desktop_app.services.consuming.in_flight import InFlightMessage, Outcome


class ConsumerObserver:
    """Keeps every message that a consumer receives, from now on."""

    def __init__(self, consumer: Consumer) -> None:
        self._in_flight = consumer._in_flight
        self._messages: list[InFlightMessage] = []
        add = self._in_flight.add

        def note(message: InFlightMessage) -> None:
            self._messages.append(message)
            add(message)

        self._in_flight.add = note  # type: ignore[method-assign]

    @property
    def received(self) -> int:
        """How many messages came, and how many rows were claimed without theirs."""
        return len(self._messages)

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def unsettled(self) -> int:
        return sum(message.outcome is None for message in list(self._messages))

    def count(self, outcome: Outcome) -> int:
        return sum(message.outcome is outcome for message in list(self._messages))
