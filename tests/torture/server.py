"""The queue's server, in a process of its own; it ends when its standard input is closed. Prints its address.

    python tests/torture/server.py moto|strict

`moto` is moto's SQS as the embedded queue serves it (see `desktop_app/queues/local_moto.py`): plain moto loses messages
by itself when a send and a delete meet in it. `strict` is the simulator of `tests/sqs`, which does not forgive what
moto forgives: on a FIFO queue expired handles, and sending again what was deleted a moment ago.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

KINDS = ("moto", "strict")
_TIDY_SECONDS = 5.0


def _serve_moto() -> str:
    from desktop_app.queues.local_http import SqsHttpServer
    from desktop_app.queues.local_moto import SqsApplication

    server = SqsHttpServer(SqsApplication())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.port}"


def _serve_strict() -> str:
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
    print({"moto": _serve_moto, "strict": _serve_strict}[sys.argv[1]](), flush=True)  # noqa: T201
    sys.stdin.read()
