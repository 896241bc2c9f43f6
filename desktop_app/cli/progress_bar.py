"""The bar itself, apart, so that tqdm is loaded only where it is seen."""

from __future__ import annotations

import sys
from typing import Never

from tqdm import tqdm


class ProgressBar:
    """A bar on standard error. One thread at a time.

    Args:
        label: Stands before it.
        unit: What is counted, in the plural.
    """

    def __init__(self, label: str, unit: str) -> None:
        self._bar: tqdm[Never] = tqdm(
            desc=label, unit=f" {unit}", file=sys.stderr, leave=False, dynamic_ncols=True, mininterval=0.1
        )

    def move_to(self, done: int, total: int | None) -> None:
        """Show how much is done of how much; None = not known."""
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def interrupt(self) -> None:
        """Make room for a line of text; the bar comes back below it."""
        self._bar.clear()

    def close(self) -> None:
        """Take it away."""
        self._bar.close()
