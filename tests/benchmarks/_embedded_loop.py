"""Process files through an embedded queue in a bare loop: no leases, no fencing tokens, no attempts, no window.

    python -m tests.benchmarks._embedded_loop DATABASE QUEUE_FILE FILE_LIST

It sends, receives, processes and deletes by tens, with one durable commit for each ten, as `filemill worker` sends the
messages of the embedded queue while it processes files. It prints the CPU time in seconds of the loop, and the same of
receiving, processing and deleting alone.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from pathlib import Path

from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.queues.messages import MAX_ENTRIES, Outgoing
from tests.benchmarks.peers import job


def main(database: str, queue_file: str, listed: str) -> None:
    ids = job.add(database, Path(listed).read_text(encoding="utf-8").splitlines())
    sending_s = 0.0
    with closing(EmbeddedQueue(Path(queue_file))) as queue:
        queue.state()
        began, cpu = time.perf_counter(), time.process_time()
        for start in range(0, len(ids), MAX_ENTRIES):
            sending = time.perf_counter()
            queue.send([Outgoing(json.dumps({"file_id": one})) for one in ids[start : start + MAX_ENTRIES]])
            sending_s += time.perf_counter() - sending
            messages = queue.receive(limit=MAX_ENTRIES, wait_s=1, visibility_s=30)
            job.process(database, [json.loads(message.body)["file_id"] for message in messages])
            queue.delete([message.receipt_handle for message in messages])
        took = time.perf_counter() - began
        print("cpu", time.process_time() - cpu)
        print("rate", len(ids) / took)
        print("unsent", len(ids) / (took - sending_s))
        assert queue.state().total == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
