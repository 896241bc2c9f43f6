"""Record the messages that a consumer receives, and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.services.consuming.consumer import Consumer
    from desktop_app.services.consuming.in_flight import InFlightMessage, Outcome


class ConsumerObserver:
    """Records every message that a consumer receives from now on."""

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
        """Return the number of messages received and of rows claimed without their messages."""
        return len(self._messages)

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def unsettled(self) -> int:
        return sum(message.outcome is None for message in list(self._messages))

    def count(self, outcome: Outcome) -> int:
        return sum(message.outcome is outcome for message in list(self._messages))
