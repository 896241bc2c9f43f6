"""Track which disks and network shares do not respond."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.processing.isolation import HelperProcess, ProcessDiedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.domain.clock import Clock
    from desktop_app.sources.mounts import Mount


log = logging.getLogger(__name__)

UNRESPONSIVE_SECONDS = 1.5
"""A file system is unresponsive if a probe has not been answered for this time."""
RETRY_FIRST_SECONDS = 60.0
RETRY_LONGEST_SECONDS = 900.0
MAX_PROBES = 3
"""The maximum number of unanswered probes per file system: an old one may stay unanswered after a reconnection."""


def probe_in_child(place: str) -> bool:
    """Wait in a child process until the file system mounted at a place responds; return False if it can't be tried."""
    helper = HelperProcess()
    try:
        return helper.probe(place)
    except ProcessDiedError as error:
        log.info("%s can't be checked: %s", place, error)
        return False
    finally:
        helper.close()


@dataclass(slots=True)
class _Suspicion:
    """A file system with a file that did not respond; times are in seconds of the steady clock."""

    since: float
    probed_at: float
    probes: int = 0
    is_answered: bool = False


class MountHealth:
    """Probes file systems on which a file does not respond, each on a thread of its own. Any thread.

    Args:
        clock: The clock; only `steady` is used.
        probe: A function that waits until the file system mounted at a place responds, and returns whether it did.
        on_recovered: Called when there is something for `take_recovered`, on any thread.
    """

    def __init__(
        self,
        clock: Clock,
        probe: Callable[[str], bool] = probe_in_child,
        *,
        on_recovered: Callable[[], object] = lambda: None,
    ) -> None:
        self._clock = clock
        self._probe = probe
        self._on_recovered = on_recovered
        self._lock = threading.Lock()
        self._suspicions: dict[Mount, _Suspicion] = {}
        self._recovered: deque[str] = deque()

    def suspect(self, mount: Mount, silent_since: float) -> None:
        """Probe a file system, unless it was probed after one of its files stopped responding.

        Args:
            mount: The file system.
            silent_since: When the file stopped responding, in seconds of the steady clock.
        """
        now = self._clock.steady()
        with self._lock:
            suspicion = self._suspicions.get(mount)
            if suspicion is None or suspicion.is_answered:
                if suspicion is not None and suspicion.probed_at >= silent_since:
                    return
                suspicion = self._suspicions[mount] = _Suspicion(now, now)
                self._start_probe(mount, suspicion)

    def check(self) -> None:
        """Probe unresponsive file systems again, with a backoff; call this regularly."""
        now = self._clock.steady()
        with self._lock:
            for mount, suspicion in self._suspicions.items():
                is_due = now - suspicion.probed_at >= _backoff(suspicion.probed_at - suspicion.since)
                if not suspicion.is_answered and is_due and suspicion.probes < MAX_PROBES:
                    suspicion.probed_at = now
                    self._start_probe(mount, suspicion)

    def is_unresponsive(self, mount: Mount) -> bool:
        """Return whether the file system does not respond."""
        if not self._suspicions:
            return False  # asked for each file
        now = self._clock.steady()
        with self._lock:
            suspicion = self._suspicions.get(mount)
            return suspicion is not None and not suspicion.is_answered and now - suspicion.since >= UNRESPONSIVE_SECONDS

    def retry_after(self, mount: Mount, since: float) -> float:
        """Return the time to wait before the next attempt at a file, in seconds; it grows from one to 15 minutes.

        Args:
            mount: The file system.
            since: When the file stopped responding, in seconds of the steady clock.
        """
        now = self._clock.steady()
        with self._lock:
            suspicion = self._suspicions.get(mount)
            if suspicion is not None and not suspicion.is_answered:
                since = min(since, suspicion.since)
        return _backoff(now - since)

    def take_recovered(self) -> list[str]:
        """Return the mount points that have responded again since the last call."""
        recovered = []
        while self._recovered:
            recovered.append(self._recovered.popleft())
        return recovered

    def note_answer(self, mount: Mount) -> None:
        """Note that a file system has responded."""
        if not self._suspicions:
            return  # called for each file
        with self._lock:
            suspicion = self._suspicions.get(mount)
            if suspicion is None or suspicion.is_answered:
                return
            suspicion.is_answered = True
            if self._clock.steady() - suspicion.since < UNRESPONSIVE_SECONDS:
                return  # nothing had to wait
        log.info("%s responds again", mount.place)
        self._recovered.append(mount.place)
        self._on_recovered()

    def _start_probe(self, mount: Mount, suspicion: _Suspicion) -> None:
        suspicion.probes += 1
        threading.Thread(
            target=self._run_probe, args=(mount, suspicion), name=f"probe {mount.place}", daemon=True
        ).start()

    def _run_probe(self, mount: Mount, suspicion: _Suspicion) -> None:
        is_answered = self._probe(mount.place)
        with self._lock:
            suspicion.probes -= 1
        if is_answered:
            self.note_answer(mount)


def _backoff(seconds: float) -> float:
    """Return the time until the next attempt, in seconds: as long as nothing has responded, within the limits."""
    return min(max(RETRY_FIRST_SECONDS, seconds), RETRY_LONGEST_SECONDS)
