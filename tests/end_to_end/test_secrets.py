"""Keys, tokens and signatures reach neither the terminal, the log, the database nor a support report.

The server repeats everything that it receives in its error messages, as some servers and proxies do.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.bootstrap import Program, connect_queue, open_program
from desktop_app.config.settings import load_settings
from desktop_app.queues.checks import probe
from desktop_app.services.support.report import SupportReport, SupportSources
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="sends itself signals, and the programs are shell scripts"),
]

PROGRAM = [sys.executable, "-m", "desktop_app"]
KEY_ID, KEY, TOKEN = (
    "AKIAPLANTED0PLANTED7",
    "PlantedKey/abcdefGHIJKL0123456789+mnopqr",
    "PlantedToken" + "aB3/xY9+" * 30,
)
ODD_ID, ODD_KEY, ODD_TOKEN = "planted-id-of-a-server", "planted key with, odd=parts", "planted.odd.token"
SIGNATURE = re.compile(r"Signature=([0-9a-f]{64})")


class EchoingServer(ThreadingHTTPServer):
    """A queue server whose errors contain the headers of the request. Each action fails at first, then succeeds."""

    daemon_threads = True

    def __init__(self, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.chance = random.Random(seed)
        self.seen: set[str] = set()
        """The signatures that the server received."""
        self.url = f"http://127.0.0.1:{self.server_port}"

    def answer(self, action: str, headers: str, body: dict[str, Any]) -> tuple[int, bytes]:
        self.seen.update(SIGNATURE.findall(headers))
        if action != "SendMessageBatch" and self.chance.random() < 0.5:
            return self.failure(headers)
        answers: dict[str, dict[str, Any]] = {
            "GetQueueUrl": {"QueueUrl": f"{self.url}/000000000000/q"},
            "GetQueueAttributes": {"Attributes": {"QueueArn": "arn:aws:sqs:eu-west-1:000000000000:q"}},
            "SendMessageBatch": {
                "Failed": [
                    {"Id": entry["Id"], "SenderFault": True, "Code": "InvalidMessageContents", "Message": headers}
                    for entry in body.get("Entries", [])
                ]
            },
        }
        return 200, json.dumps(answers.get(action, {})).encode()

    def failure(self, headers: str) -> tuple[int, bytes]:
        code = self.chance.choice(
            ["InvalidSignature", "SignatureDoesNotMatch", "IncompleteSignature", "UnrecognizedClientException",
             "AccessDeniedException", "UnsupportedOperation", "InternalError", "RequestThrottled", "Nonsense",
             "QueueDoesNotExist", "InvalidSecurity", "ExpiredToken", "ValidationError"]
        )  # fmt: skip
        status = self.chance.choice([400, 400, 403, 500, 503])
        if self.chance.random() < 0.1:
            return 200, f"<html>{headers}</html>".encode()
        return status, json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": headers}).encode()


class _Handler(BaseHTTPRequestHandler):
    server: EchoingServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        action = str(self.headers.get("X-Amz-Target", "")).rpartition(".")[2]
        headers = "\n".join(f"{name.lower()}:{value}" for name, value in self.headers.items())
        status, content = self.server.answer(action, headers, json.loads(body or b"{}") if action else {})
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Write nothing to standard error."""


@pytest.fixture
def server() -> Iterator[EchoingServer]:
    made = EchoingServer(seed=10)
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def files_with(texts: set[str], folder: Path) -> list[str]:
    """Return the files in a folder that contain one of the texts, with the text."""
    files = [(path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    return [f"{path}: {text}" for path, data in files for text in texts if text.encode() in data]


def run(*words: str) -> str:
    """Run a command for a few seconds at most, and return its whole output."""
    with subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as program:
        try:
            return program.communicate(timeout=4)[0]
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGTERM)
            return program.communicate(timeout=60)[0]


def support_report(program: Program) -> str:
    report = SupportReport(
        SupportSources(
            home=program.home,
            environment=os.environ,
            settings=lambda: load_settings(program.home.settings_file),
            connection=lambda: program.connection,
            connect=lambda: connect_queue(program),
            test=lambda should_stop: probe(program.connection, program.queue_file, should_stop),
            database=program.database,
            jobs=program.jobs,
            clock=program.clock,
        )
    )
    return "\n".join(part.with_names for part in [*report.collect(), report.ask_queue()])


def plant(where: str, keys: tuple[str, str, str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store keys where the program finds them."""
    if where == "environment":
        for name, value in zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), keys, strict=True):
            monkeypatch.setenv(f"AWS_{name}", value)
        return
    (home / ".aws").mkdir()
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    if where == "credentials file":
        text = "\n".join(f"{name} = {value}" for name, value in zip(names, keys, strict=True))
        (home / ".aws" / "credentials").write_text(f"[default]\n{text}\n")
        return
    shown = dict(zip(("AccessKeyId", "SecretAccessKey", "SessionToken"), keys, strict=True))
    helper = home / "helper"
    helper.write_text(f"#!/bin/sh\nprintf %s {shlex.quote(json.dumps({'Version': 1, **shown}))}\n")
    helper.chmod(0o700)
    (home / ".aws" / "config").write_text(f"[default]\ncredential_process = {helper} --password planted-argument\n")


USUAL, ODD = (KEY_ID, KEY, TOKEN), (ODD_ID, ODD_KEY.replace(" ", "-"), ODD_TOKEN)


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ("environment", USUAL),
        ("credentials file", ODD),
        ("program", USUAL),
        ("program", ODD),
        ("program", (KEY_ID, ODD_KEY, TOKEN)),
        ("credentials file", (KEY_ID, KEY, f"{TOKEN}é")),
        ("environment", (f"{KEY_ID}\x7f", KEY, TOKEN)),
    ],
)
def test_no_secret_leaves_the_program(
    server: EchoingServer,
    where: str,
    keys: tuple[str, str, str],
    isolated_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(where, keys, isolated_environment, monkeypatch)
    monkeypatch.setenv("FILEMILL_QUEUE", "q")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", server.url)
    (tmp_path / "a.txt").write_text("a")
    outputs = [run("--debug", "submit", str(tmp_path / "a.txt")), run("doctor"), run("worker", "--debug")]
    outputs += [run("status", "--json"), run("status", "--debug")]
    program = open_program()
    outputs.append(support_report(program))
    program.close()
    # Keys that can't be sent reach no server; all others do.
    assert bool(server.seen) == all(re.fullmatch(r"[!-~]+", key) for key in keys)
    secrets = {*keys, KEY_ID, KEY[:20], ODD_KEY[:11], TOKEN[:40], "planted-argument", *server.seen}
    assert [secret for secret in secrets for output in outputs if secret in output] == []
    assert files_with(secrets, isolated_environment / "filemill") == []


# The program of a profile


@contextmanager
def hanging_program(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Configure a program that hangs and has children; yield the file that it writes their process IDs to."""
    pids = home / "pids"
    (home / ".aws").mkdir()
    helper = home / "helper"
    helper.write_text(
        f"#!/bin/sh\nsleep 100 & setsid sleep 100 &\necho $$ $! >{pids}.new\nmv {pids}.new {pids}\nwait\n"
    )
    helper.chmod(0o700)
    (home / ".aws" / "config").write_text(f"[profile p]\ncredential_process = {helper}\n")
    for name, value in {"AWS_PROFILE": "p", "FILEMILL_QUEUE": "q", "AWS_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    yield pids
    left = [pid for pid in pids.read_text().split() if Path(f"/proc/{pid}/stat").exists()]
    wait_until(lambda: not any(Path(f"/proc/{pid}/stat").exists() for pid in left))


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the processes in /proc")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("command", ["submit", "worker", "doctor"])
def test_command_stops_soon_while_a_program_hangs(
    command: str, name: str, isolated_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("a")
    words = [command, *([str(tmp_path / "a.txt")] if command == "submit" else [])]
    with (
        hanging_program(isolated_environment, monkeypatch) as pids,
        subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program,
    ):
        wait_until(pids.exists)
        began = time.monotonic()
        program.send_signal(getattr(signal, name))
        _, errors = program.communicate(timeout=60)
        assert time.monotonic() - began < 3
    assert program.returncode == (1 if command == "doctor" else 0)
    assert "Traceback" not in errors
    assert "internal error" not in errors
