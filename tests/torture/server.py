"""Run the queue's server in a separate process until its standard input is closed. Prints its address.

    python tests/torture/server.py

The server is the simulator of `tests/helpers/sqs`. Moto is not suitable: it loses messages when a send and a delete
overlap, and on a FIFO queue it accepts expired handles and messages that were just deleted.
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
    from tests.helpers.sqs.simulator import Simulator

    simulator = Simulator()

    def tidy() -> None:  # it records every call, which is meant for shorter tests
        while True:
            threading.Event().wait(_TIDY_SECONDS)
            simulator.forget_calls()

    threading.Thread(target=tidy, daemon=True).start()
    return ServedSimulator(simulator).__enter__().endpoint_url


if __name__ == "__main__":
    print(_serve(), flush=True)  # noqa: T201
    sys.stdin.read()
