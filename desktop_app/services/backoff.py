"""How long to wait after something did not succeed: full jitter over a doubling ceiling.

"Exponential Backoff And Jitter" (AWS Architecture Blog) shows why the whole span is drawn, not a part of it: clients
that met the same trouble at the same time must not come back together.
"""

from __future__ import annotations

import random
from typing import Protocol

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
_SHORTEST_SECONDS = 0.2


class Uniform(Protocol):
    """Draws a number between two; `random.uniform` is one."""

    def __call__(self, low: float, high: float, /) -> float:
        """A number from low to high."""
        ...


class Backoff:
    """Waits for one loop; not for sharing between threads.

    Args:
        first: The ceiling of the first wait, in seconds.
        longest: Where the ceiling stops doubling, in seconds.
        uniform: Draws the wait; tests inject their own.
    """

    def __init__(
        self,
        *,
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
        uniform: Uniform = random.uniform,
    ) -> None:
        self._first = first
        self._longest = longest
        self._uniform = uniform
        self.tries = 0

    def next(self) -> float:
        """The next wait, in seconds, never 0: a loop that meets an error at once must not spin."""
        ceiling = min(self._longest, self._first * float(1 << min(self.tries, 30)))
        self.tries += 1
        return max(min(_SHORTEST_SECONDS, ceiling), self._uniform(0, ceiling))

    def reset(self) -> None:
        """Start afresh after a success."""
        self.tries = 0
