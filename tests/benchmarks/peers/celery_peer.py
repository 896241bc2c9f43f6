"""Consume a queue with Celery: two processes, which prefetch ten messages each and acknowledge after the work.

python celery_peer.py send|work QUEUE_URL DATABASE [FILE_LIST]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import job
from celery import Celery

name, database = os.environ["BENCHMARK_QUEUE"], os.environ["BENCHMARK_DATABASE"]
app = Celery("celery_peer", broker="sqs://")
app.conf.update(
    broker_transport_options={
        "predefined_queues": {name: {"url": os.environ["BENCHMARK_QUEUE_URL"]}},
        "region": os.environ["AWS_REGION"],
        "wait_time_seconds": 1,
        "polling_interval": 0,
    },
    task_default_queue=name,
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=10,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="process")
def process(file_id):  # noqa: ANN001, ANN201 - no stubs
    job.process(database, [file_id])


def send(listed: str) -> None:
    for one in job.add(database, Path(listed).read_text(encoding="utf-8").splitlines()):
        process.delay(one)


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[4])
    else:
        options = ["--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        app.worker_main(["worker", "--pool", "prefork", "--loglevel", "ERROR", *options])
