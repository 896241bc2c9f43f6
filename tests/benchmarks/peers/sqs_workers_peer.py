"""Consume a queue with sqs-workers, in batches of ten.

python sqs_workers_peer.py send|work QUEUE_URL DATABASE [FILE_LIST]
"""

from __future__ import annotations

import json
import sys

import job
import loop
from sqs_workers import RawQueue, SQSEnv
from sqs_workers.batching import BatchMessages
from sqs_workers.shutdown_policies import IdleShutdown


def work(url: str, database: str) -> None:
    queue = SQSEnv().queue(url.rsplit("/", 1)[1], queue_maker=RawQueue, batching_policy=BatchMessages(10))

    @queue.raw_processor()
    def process(messages):  # noqa: ANN001, ANN202 - no stubs
        job.process(database, [json.loads(message.body)["file_id"] for message in messages])

    queue.process_queue(IdleShutdown(idle_seconds=0), wait_second=1)


if __name__ == "__main__":
    mode, queue_url, path, *rest = sys.argv[1:]
    if mode == "send":
        loop.send(queue_url, path, rest[0])
    else:
        work(queue_url, path)
