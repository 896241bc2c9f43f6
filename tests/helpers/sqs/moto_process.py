"""Run a plain moto server in a separate process, as an independent implementation of SQS."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Self

_SERVE = """
import logging, sys
logging.getLogger("werkzeug").setLevel(logging.ERROR)
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(*server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


class MotoProcess:
    """A moto server that runs until `close`, or until the process of the tests ends, which closes its stdin."""

    def __init__(self) -> None:
        # A separate process, so that moto is not patched in the process of the tests.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._process.stdout is not None
        host, port = self._process.stdout.readline().split()
        self.endpoint_url = f"http://{host}:{port}"

    def close(self) -> None:
        self._process.communicate(timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
