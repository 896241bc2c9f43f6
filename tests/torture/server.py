"""The queue's server, in a process of its own; it ends when its standard input is closed. Prints its address.

    python tests/torture/server.py

It is the simulator of `tests/sqs`. moto would not do: it loses messages by itself when a send and a delete meet in it,
and forgives what SQS does not (on a FIFO queue expired handles, and sending again what was deleted a moment ago).
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

_TIDY_SECONDS = 5.0


def _serve() -> str:
    from tests.crash.served import ServedSimulator
    from tests.sqs.simulator import Simulator

    simulator = Simulator()

    def tidy() -> None:  # it remembers every call, for tests that are shorter than this
        while True:
            threading.Event().wait(_TIDY_SECONDS)
            simulator.forget_calls()

    threading.Thread(target=tidy, daemon=True).start()
    return ServedSimulator(simulator).__enter__().endpoint_url


if __name__ == "__main__":
    print(_serve(), flush=True)  # noqa: T201
    sys.stdin.read()
