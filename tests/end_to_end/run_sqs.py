"""Process files through boto3, on a standard and a FIFO queue of a moto server on this computer. Run by `make run-sqs`.

`filemill submit` adds files with known numbers, `filemill worker --until-idle` processes them, and
`filemill status --json` must print the right numbers; then the queue must be empty. The exit code is 1 otherwise.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.helpers.sqs.kit import boto_client
from tests.helpers.sqs.moto_process import MotoProcess
from tests.torture.world import Programs, write_files

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

FILES = 50
SECONDS = 120.0
QUEUES: dict[str, dict[str, str]] = {"files": {}, "files.fifo": {"FifoQueue": "true"}}


def problems_on(sqs: SQSClient, endpoint_url: str, name: str, folder: Path) -> list[str]:
    """Create a queue and process files through it; return the problems."""
    attributes: Any = QUEUES[name]
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    known = write_files(folder / "files", FILES, random.Random(1))
    (folder / "home").mkdir()
    programs = Programs(folder / "home", name, endpoint_url)
    for words in (["doctor"], ["submit", *known], ["worker", "--until-idle"], ["status", "--json"]):
        program = programs.start(*words)
        try:
            if program.wait(SECONDS) != 0:
                return [f"filemill {words[0]} ended with {program.returncode}: {programs.output_of(program)}"]
        finally:
            programs.end_all()
    jobs = [json.loads(line) for line in programs.output_of(program).splitlines()]
    found = {job["file_path"]: (job["status"], job["file_size"], job["lines_count"]) for job in jobs}
    wanted = {path: ("PROCESSED", file.size, file.lines) for path, file in known.items()}
    wrong = [f"{path}: {found.get(path)} instead of {want}" for path, want in wanted.items() if found.get(path) != want]
    sent = len({job["message_id"] for job in jobs} - {None})
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    if left["ApproximateNumberOfMessages"] != "0" or left["ApproximateNumberOfMessagesNotVisible"] != "0":
        wrong.append(f"the queue is not empty: {left}")
    print(f"{name}: {len(found)} files, {sent} messages through boto3, {len(wrong)} things wrong")
    return wrong


def main() -> int:
    """Process files through each queue; return the exit code."""
    wrong: list[str] = []
    with MotoProcess() as server, tempfile.TemporaryDirectory(prefix="filemill-run-sqs-") as folder:
        sqs = boto_client(endpoint_url=server.endpoint_url)
        for name in QUEUES:
            place = Path(folder) / name
            place.mkdir()
            wrong += problems_on(sqs, server.endpoint_url, name, place)
        sqs.close()
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
