"""Consume a queue with dramatiq and its SQS broker: two processes with four threads each, which prefetch ten messages.

python dramatiq_peer.py send|work QUEUE_URL DATABASE [FILE_LIST]
"""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import boto3
import dramatiq
import job
from dramatiq_sqs import SQSBroker

broker = SQSBroker(middleware=[])
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=os.environ["BENCHMARK_QUEUE"])
def process(file_id):  # noqa: ANN001, ANN201 - no stubs
    job.process(os.environ["BENCHMARK_DATABASE"], [file_id])


def send(url: str, database: str, listed: str) -> None:
    """Send by tens, faster than the broker, which sends one by one."""
    sqs = boto3.client("sqs")
    ids = job.add(database, Path(listed).read_text(encoding="utf-8").splitlines())
    for start in range(0, len(ids), 10):
        bodies = [base64.b64encode(process.message(one).encode()).decode() for one in ids[start : start + 10]]
        entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies)]
        assert not sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")


if __name__ == "__main__":
    mode, queue_url, path, *rest = sys.argv[1:]
    if mode == "send":
        send(queue_url, path, rest[0])
    else:
        command = [sys.executable, "-m", "dramatiq", "dramatiq_peer", "--processes", "2", "--threads", "4"]
        environment = {**os.environ, "dramatiq_queue_prefetch": "10", "PYTHONPATH": str(Path(__file__).parent)}
        os.execvpe(command[0], command, environment)
