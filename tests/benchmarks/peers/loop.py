"""Consume a queue in a loop of boto3 calls.

    python loop.py send|work QUEUE_URL DATABASE [FILE_LIST] [--one]

`send` adds the files in a list, one path a line, and sends their messages by tens. `work` receives, processes and
deletes by tens, with one commit for each ten; with `--one`, one message at a time, as in the tutorial of AWS. It prints
the CPU time in seconds from the first call to the end.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import boto3
import job


def send(url: str, database: str, listed: str) -> None:
    sqs = boto3.client("sqs")
    ids = job.add(database, Path(listed).read_text(encoding="utf-8").splitlines())
    for start in range(0, len(ids), 10):
        some = ids[start : start + 10]
        entries = [{"Id": str(at), "MessageBody": json.dumps({"file_id": one})} for at, one in enumerate(some)]
        assert not sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")


def work(url: str, database: str) -> None:
    sqs = boto3.client("sqs")
    began = time.process_time()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        job.process(database, [json.loads(message["Body"])["file_id"] for message in messages])
        entries = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(messages)]
        assert not sqs.delete_message_batch(QueueUrl=url, Entries=entries).get("Failed")
    print("cpu", time.process_time() - began)


def work_one(url: str, database: str) -> None:
    sqs = boto3.client("sqs")
    began = time.process_time()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, WaitTimeSeconds=1).get("Messages"):
        job.process(database, [json.loads(messages[0]["Body"])["file_id"]])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
    print("cpu", time.process_time() - began)


if __name__ == "__main__":
    mode, queue_url, path, *rest = sys.argv[1:]
    if mode == "send":
        send(queue_url, path, rest[0])
    elif "--one" in rest:
        work_one(queue_url, path)
    else:
        work(queue_url, path)
