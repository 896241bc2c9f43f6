"""Real faults of the network and the sign-in, caused by a server, a proxy or an account of the test.

See the table in test_real_faults.py for which test covers which problem.
"""

from __future__ import annotations

import http.client
import select
import socket
import uuid
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import boto3
import pytest
from PySide6.QtGui import QGuiApplication

from desktop_app.config.settings import Settings
from desktop_app.domain.connection_checks import Check, Verdict
from desktop_app.gui.widgets.dialogs import PairsDialog
from tests.gui.running_app import allowed, queue_page
from tests.helpers.servers import Quiet, make_certificate, served
from tests.helpers.sqs.internet import Internet
from tests.helpers.sqs.simulator import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]

Enter = Any
QUEUE = "work"


class PassOn(Quiet):
    """A TLS server that forwards to a plain server."""

    behind: ClassVar[str] = ""

    def do_POST(self) -> None:  # noqa: N802 - called by name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        connection = http.client.HTTPConnection(self.behind, timeout=30)
        connection.request("POST", self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"content-length", "connection", "transfer-encoding", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Proxy(Quiet):
    """A proxy that refuses connections until it is opened."""

    is_open: ClassVar[bool] = False
    refused: ClassVar[int] = 0

    def do_CONNECT(self) -> None:  # noqa: N802 - called by name
        if not self.is_open:
            type(self).refused += 1
            self.send_error(403, "Not from here")
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as other:
            self.send_response(200)
            self.end_headers()
            self._carry(self.connection, other)
        self.close_connection = True

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        ways = {one: other, other: one}
        while True:
            for source in select.select(list(ways), [], [], 30)[0]:
                data = source.recv(65536)
                if not data:
                    return
                ways[source].sendall(data)


@pytest.fixture
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def queue() -> str:
    """Return a queue per test: the poll of a closed window outlives it."""
    return f"work-{uuid.uuid4()}"


@pytest.fixture
def secure_server(moto_url: str, certificate: Path, queue: str) -> Iterator[str]:
    """Run SQS behind TLS with an unknown certificate."""
    boto3.client(
        "sqs", endpoint_url=moto_url, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    ).create_queue(QueueName=queue)

    class Here(PassOn):
        behind = urlsplit(moto_url).netloc

    with served(Here, certificate) as place:
        yield f"https://{place}"


# E6b


def test_unknown_certificate_is_not_trusted_until_it_is_added(
    open_app: Enter, secure_server: str, queue: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(allowed(Settings(queue=queue, region=REGION, endpoint_url=secure_server)))
    app.add("one.txt")
    buttons = app.until_banner(f"The connection to the queue server at {secure_server} is not trusted")
    assert buttons == ["Details", "Try Now"]
    app.press("Details")
    (dialog,) = app.window.findChildren(PairsDialog)
    dialog.copy()
    assert "self-signed certificate" in QGuiApplication.clipboard().text()
    dialog.close()
    assert app.jobs()["one.txt"].sent_at is None
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    app.press("Try Now")
    app.until_processed("one.txt")
    app.until(lambda: not app.window.banner.isVisible())


def test_proxy_that_refuses_is_reported_until_it_works(
    open_app: Enter, secure_server: str, queue: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))

    class Here(Proxy):
        pass

    with served(Here) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@{proxy}")
        app = open_app(allowed(Settings(queue=queue, region=REGION, endpoint_url=secure_server)))
        app.add("one.txt")
        title = f"The proxy refused the connection to the queue server at {secure_server}"
        assert app.until_banner(title) == ["Details", "Try Now"]
        app.press("Details")
        (dialog,) = app.window.findChildren(PairsDialog)
        dialog.copy()
        assert "hunter2" not in QGuiApplication.clipboard().text()
        dialog.close()
        assert Here.refused
        Here.is_open = True
        app.press("Try Now")
        app.until_processed("one.txt")
        app.until(lambda: not app.window.banner.isVisible())
        app.close()


# E3b


@pytest.mark.usefixtures("signed_in")
def test_queue_of_another_account_is_reported_by_the_test(
    open_app: Enter, live_sim: SimulatedSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_sim.simulator.create_queue(QUEUE)
    internet = Internet(live_sim, identity="arn:aws:iam::999999999999:user/me")
    internet.install(monkeypatch)
    app = open_app(Settings(queue=QUEUE, region=REGION))
    app.until(lambda: app.window.status.connection.shown.text.startswith(QUEUE))
    app.window.connection.open_at("queue")
    dialog = app.window.connection.dialog
    assert dialog is not None
    page = queue_page(dialog)
    page.test.click()
    app.until(lambda: any(finding.error is not None for finding in page.checks.findings))
    (finding,) = (finding for finding in page.checks.findings if finding.error is not None)
    assert finding.verdict is Verdict.NOTE
    assert finding.check is Check.QUEUE
    assert finding.text.startswith(
        "This queue belongs to another account. "
        "You are signed in to account 999999999999, but the queue is in account 123456789012."
    )
    dialog.reject()
