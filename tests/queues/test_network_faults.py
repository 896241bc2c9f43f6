"""Faults of the way to the server, each caused by a real server or proxy on the loopback interface, or by a setting."""

from __future__ import annotations

import errno
import json
import os
import socket
from contextlib import ExitStack, suppress
from socketserver import BaseRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import Cause, QueueError, QueueTrouble
from desktop_app.queues.connector import SqsConnector
from tests.helpers.servers import Quiet, make_certificate, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

DEAD = "127.0.0.1:1"
FAR = "sqs.test"
"""A host that is only asked for through a proxy."""
JSON = "application/x-amz-json-1.0"
KEYS = "aws_access_key_id = A\naws_secret_access_key = B\n"
XML = (
    b'<?xml version="1.0"?><ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>unknown</Message></Error>'
    b"</ErrorResponse>"
)


class Answer(Quiet):
    """Gives the same answer to every request, also as a proxy."""

    status: ClassVar[int] = 200
    kind: ClassVar[str] = "text/plain"
    body: ClassVar[bytes] = b""
    headers_: ClassVar[dict[str, str]] = {}

    def do_POST(self) -> None:  # noqa: N802 - called by name
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        for name, value in self.headers_.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    def do_CONNECT(self) -> None:  # noqa: N802 - called by name
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = True


class Raw(BaseRequestHandler):
    """Sends the same bytes to every client, whatever it gets."""

    answer: ClassVar[bytes]

    def handle(self) -> None:
        self.request.recv(65536)
        self.request.sendall(self.answer)
        # If a part of the request were left unread, closing would reset the connection and discard the answer.
        self.request.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            while self.request.recv(65536):
                pass


def raw_server(answer: bytes) -> AbstractContextManager[str]:
    """Run a server that answers with these bytes; yield its host and port."""
    return served(type("Here", (Raw,), {"answer": answer}))


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "B")


@pytest.fixture(autouse=True)
def no_lookups(only_loopback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every lookup of a name fail, as without a network."""
    look_up = socket.getaddrinfo

    def fail(host: str | bytes | None, *args: Any, **kwargs: Any) -> Any:
        if host in {"127.0.0.1", "localhost"}:
            return look_up(host, *args, **kwargs)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Return a function that runs a server with an answer, and returns its host and port."""
    with ExitStack() as stack:

        def start(
            status: int = 200,
            body: bytes = b"",
            kind: str = "text/plain",
            headers: dict[str, str] | None = None,
            certificate: Path | None = None,
        ) -> str:
            members = {"status": status, "body": body, "kind": kind, "headers_": headers or {}}
            return stack.enter_context(served(type("Here", (Answer,), members), certificate))

        yield start


def refusal(endpoint_url: str = "", *, profile: str = "", region: str = "eu-west-1") -> QueueError:
    """Connect to a queue, and return the error."""
    connector = SqsConnector(Connection("work", profile=profile, region=region, endpoint_url=endpoint_url))
    try:
        with pytest.raises(QueueError) as error:
            connector.connect()
    finally:
        connector.close()
    return error.value


# --- the protocol


@pytest.mark.parametrize("status", [400, 403, 404, 405, 200])
@pytest.mark.parametrize(
    "body",
    [
        *(XML % code for code in (b"InvalidAction", b"MissingAction", b"MissingAuthenticationToken", b"AccessDenied")),
        b'<ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error/></ErrorResponse>',
        b"<Response><Errors><Error><Code>InvalidAction</Code></Error></Errors></Response>",
        b"<GetQueueUrlResponse><GetQueueUrlResult/></GetQueueUrlResponse>",
        b'<ns:ErrorResponse xmlns:ns="x"><ns:Error/></ns:ErrorResponse>',
    ],
)
def test_server_with_only_the_xml_protocol_is_a_setup_fault(
    serve: Callable[..., str], status: int, body: bytes
) -> None:
    url = f"http://{serve(status, body, 'text/xml')}"
    error = refusal(url)
    assert (error.trouble, error.cause) == (QueueTrouble.SETUP, Cause.PROTOCOL)
    assert error.title == f"The queue server at {url} supports only the older XML protocol of SQS"
    assert error.body.startswith("Filemill needs the JSON protocol.")


@pytest.mark.parametrize(
    "body",
    [
        b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
        b"Client sent an HTTP request to an HTTPS server.\n",
        b"<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.</p>",
    ],
    ids=["nginx", "Go", "Apache"],
)
def test_http_address_of_an_https_server_is_reported(serve: Callable[..., str], body: bytes) -> None:
    url = f"http://{serve(400, body)}"
    error = refusal(url)
    assert (error.trouble, error.cause) == (QueueTrouble.SETUP, Cause.PROTOCOL)
    assert error.text == f"The queue server at {url} requires HTTPS. Write https:// instead of http:// in its address."


def test_alert_of_tls_in_response_to_http_is_recognized() -> None:
    with raw_server(b"\x15\x03\x01\x00\x02\x02\x46") as place:
        assert refusal(f"http://{place}").title == f"The queue server at http://{place} requires HTTPS"


def test_server_that_hangs_up_on_http_may_want_https(serve: Callable[..., str], tmp_path: Path) -> None:
    error = refusal(f"http://{serve(certificate=make_certificate(tmp_path))}")
    assert error.cause is Cause.OFFLINE
    assert error.body.startswith("If the server uses HTTPS, write https:// in its address.")


def test_connection_reset_before_it_is_used_gives_the_same_text_as_one_reset_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(socket.socket, "connect", reset)
        error = refusal(url)
    assert error.cause is Cause.OFFLINE
    assert error.body.startswith("If the server uses HTTPS, write https:// in its address.")


def reset(*_: object) -> None:
    """Fail as a connection to a server that resets it at once, which only happens now and then."""
    raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9\r\n"], ids=["HTTP", "SSH"])
def test_https_address_of_a_server_without_https_is_reported(answer: bytes) -> None:
    with raw_server(answer) as place:
        error = refusal(f"https://{place}")
        assert (error.trouble, error.cause) == (QueueTrouble.SETUP, Cause.PROTOCOL)
        assert error.title == f"The queue server at https://{place} does not use HTTPS"
        assert "write http:// instead of https://" in error.body


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 405, 410])
@pytest.mark.parametrize("body", [b"", b"<html>Welcome</html>", b"The requested resource could not be found.", b"{}"])
def test_other_web_server_is_not_taken_for_the_service(serve: Callable[..., str], status: int, body: bytes) -> None:
    error = refusal(f"http://{serve(status, body)}")
    assert (error.trouble, error.cause, error.was_answered) == (QueueTrouble.OFFLINE, Cause.NOT_SQS, False)


@pytest.mark.parametrize("status", [501, 505, 511])
def test_status_that_does_not_pass_is_not_taken_for_trouble_of_the_service(
    serve: Callable[..., str], status: int
) -> None:
    assert refusal(f"http://{serve(status, b'<html>Unsupported method</html>')}").cause is Cause.NOT_SQS


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>Welcome</html>"])
def test_answer_of_another_server_names_the_setting_of_the_address(
    serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    url = f"http://{serve(200, body)}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
    assert refusal(url).body.startswith("Its address is set by AWS_ENDPOINT_URL_SQS.")


@pytest.mark.parametrize("code", ["UnknownOperationException", "com.amazon.coral.service#UnknownOperationException"])
def test_server_of_another_service_is_a_setup_fault_that_says_what_to_do(serve: Callable[..., str], code: str) -> None:
    url = f"http://{serve(400, json.dumps({'__type': code}).encode())}"
    error = refusal(url)
    assert (error.trouble, error.cause) == (QueueTrouble.SETUP, Cause.PROTOCOL)
    assert error.title == f"The queue server at {url} does not support a request that Filemill needs"
    assert "Check that its address" in error.body


def test_server_that_does_not_speak_http_is_not_taken_for_the_service() -> None:
    with raw_server(b"SSH-2.0-OpenSSH_9\r\n") as place:
        assert refusal(f"http://{place}").cause is Cause.NOT_SQS


# --- the region and the address


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidSignatureException", "AuthorizationHeaderMalformed"])
@pytest.mark.parametrize(
    ("said", "body"),
    [
        (
            "Credential should be scoped to a valid region. ",
            "Choose the region of the queue and its server, or set AWS_REGION.",
        ),
        (
            "Credential should be scoped to a valid region, not 'eu-west-1'. ",
            "Choose the region of the queue and its server, or set AWS_REGION.",
        ),
        (
            "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-2'",
            "The server expects “us-east-2”. Choose this region, or set AWS_REGION.",
        ),
    ],
)
def test_wrong_region_of_the_signature_is_reported(serve: Callable[..., str], code: str, said: str, body: str) -> None:
    answer = f'{{"__type": "com.amazon.coral.service#{code}", "message": "{said}"}}'
    error = refusal(f"http://{serve(403, answer.encode(), JSON)}")
    assert (error.trouble, error.cause) == (QueueTrouble.SETUP, Cause.NO_REGION)
    assert error.text == f"The region “eu-west-1” is not the region of the queue. {body}"


@pytest.mark.parametrize(
    ("config", "environment", "source"),
    [
        (f"[profile p]\n{KEYS}endpoint_url = http://{DEAD}\n", {}, "endpoint_url of profile “p”"),
        (
            f"[profile p]\n{KEYS}services = s\n[services s]\nsqs =\n  endpoint_url = http://{DEAD}\n",
            {},
            "the services section “s” of the AWS configuration",
        ),
        (f"[profile p]\n{KEYS}", {"AWS_ENDPOINT_URL_SQS": f"http://{DEAD}"}, "AWS_ENDPOINT_URL_SQS"),
        (f"[profile p]\n{KEYS}", {"AWS_ENDPOINT_URL": f"http://{DEAD}/"}, "AWS_ENDPOINT_URL"),
    ],
    ids=["profile", "services", "variable of SQS", "variable"],
)
@pytest.mark.parametrize("is_known", [True, False], ids=["resolved", "not resolved"])
def test_address_that_is_down_is_named_with_its_setting(
    isolated_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: str,
    environment: dict[str, str],
    source: str,
    is_known: bool,
) -> None:
    (isolated_environment / ".aws").mkdir()
    (isolated_environment / ".aws" / "config").write_text(config)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    error = refusal(f"http://{DEAD}" if is_known else "", profile="p")
    assert error.title.rstrip("/") == f"Can't reach the queue server at http://{DEAD}"
    assert error.body.startswith(f"Its address is set by {source}. Your files stay in the list")


def test_address_in_the_settings_of_filemill_needs_no_source() -> None:
    assert refusal(f"http://{DEAD}").body.startswith("Your files stay in the list")


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1:1", "http://a b"])
def test_invalid_address_of_a_profile_is_named_with_its_setting(isolated_environment: Path, url: str) -> None:
    (isolated_environment / ".aws").mkdir()
    (isolated_environment / ".aws" / "config").write_text(f"[profile p]\n{KEYS}endpoint_url = {url}\n")
    error = refusal(profile="p")
    assert error.trouble is QueueTrouble.SETUP
    assert error.text.startswith(f"The address “{url}” is not valid. It is set by endpoint_url of profile “p”.")


def test_certificate_that_is_not_trusted_is_reported(serve: Callable[..., str], tmp_path: Path) -> None:
    url = f"https://{serve(certificate=make_certificate(tmp_path))}"
    error = refusal(url)
    assert (error.trouble, error.cause) == (QueueTrouble.SETUP, Cause.NOT_TRUSTED)
    assert error.title == f"The connection to the queue server at {url} is not trusted"


@pytest.mark.expected_log("Certificate did not match expected hostname")
def test_certificate_for_another_name_is_not_trusted(
    serve: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    port = serve(certificate=certificate).rpartition(":")[2]
    assert refusal(f"https://localhost:{port}").title.endswith("is not trusted")


@pytest.mark.parametrize("content", [None, "nonsense", ""], ids=["missing", "nonsense", "empty"])
def test_unusable_file_of_trusted_certificates_is_reported(
    serve: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    error = refusal(f"https://{serve(certificate=make_certificate(tmp_path))}")
    assert (error.trouble, error.cause) == (QueueTrouble.SETUP, Cause.NOT_TRUSTED)
    assert error.text.startswith("The file of trusted certificates can't be used. AWS_CA_BUNDLE names")


# --- the region


@pytest.mark.parametrize("region", ["eu west", "eu-west-99"])
def test_region_that_does_not_exist_names_its_setting(
    isolated_environment: Path, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    folder = isolated_environment / ".aws"
    folder.mkdir(exist_ok=True)
    (folder / "config").write_text(f"[profile team]\nregion = {region}\n{KEYS}", encoding="utf-8")
    assert "or correct the region of profile “team”." in refusal(profile="team", region=region).text
    assert "or set AWS_REGION." in refusal(profile="team", region=f"{region}9").text
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    assert "or correct AWS_DEFAULT_REGION." in refusal(profile="team", region=region).text


# --- the proxy


SPELLINGS = [("HTTP_PROXY", "http"), ("http_proxy", "http"), ("HTTPS_PROXY", "https"), ("https_proxy", "https")]
each_spelling = pytest.mark.parametrize(("variable", "scheme"), SPELLINGS)


@each_spelling
@pytest.mark.parametrize("login", ["", "me:hunter2@"])
def test_proxy_that_requires_a_sign_in_is_named(
    serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str, login: str
) -> None:
    proxy = serve(407)
    monkeypatch.setenv(variable, f"http://{login}{proxy}")
    error = refusal(f"{scheme}://{FAR}")
    assert error.cause is Cause.PROXY
    assert error.title == f"The proxy {proxy} requires a user name and password"
    assert error.body.startswith(f"Check those in {variable}: ")
    assert "hunter2" not in error.text + error.detail + error.said


@each_spelling
def test_proxy_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str) -> None:
    monkeypatch.setenv(variable, f"http://me:hunter2@{DEAD}")
    error = refusal(f"{scheme}://{FAR}")
    assert (error.trouble, error.cause) == (QueueTrouble.OFFLINE, Cause.PROXY)
    assert error.text.startswith(f"Can't reach the proxy {DEAD}. Check the proxy settings ({variable}).")
    assert "hunter2" not in error.text + error.detail


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("status", [400, 403, 502, 503])
def test_proxy_that_refuses_a_tunnel_is_named(
    serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch, variable: str, status: int
) -> None:
    monkeypatch.setenv(variable, f"http://{serve(status)}")
    error = refusal(f"https://{FAR}")
    assert error.title == f"The proxy refused the connection to the queue server at https://{FAR}"
    assert error.body.startswith(f"Check the proxy settings ({variable}).")


def test_proxy_that_answers_instead_of_the_server_is_named(
    serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(403, b"<html>Blocked</html>")
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy}")
    error = refusal(f"http://{FAR}")
    assert error.cause is Cause.NOT_SQS
    assert error.body.startswith(f"Requests use the proxy {proxy}, set by HTTP_PROXY.")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_that_may_be_from_a_proxy_names_it(
    serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    proxy = serve(status, b"<html>Bad gateway</html>")
    monkeypatch.setenv("HTTP_PROXY", f"http://me:hunter2@{proxy}")
    error = refusal(f"http://{FAR}")
    assert (error.trouble, error.cause) == (QueueTrouble.OFFLINE, Cause.OFFLINE)
    assert f"is temporarily unavailable ({status}). The response may be from the proxy {proxy}, set by HTTP_PROXY." in (
        error.text
    )
    assert "hunter2" not in error.text + error.detail


def test_server_error_without_a_proxy_names_none(serve: Callable[..., str]) -> None:
    assert "proxy" not in refusal(f"http://{serve(502)}").text


def test_proxy_that_hangs_up_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(b"") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
        assert f"Requests use the proxy {proxy}, set by HTTPS_PROXY." in refusal(f"https://{FAR}").text


@each_spelling
def test_proxy_without_https_is_recognized(
    serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str
) -> None:
    monkeypatch.setenv(variable, f"https://{serve(403)}")
    error = refusal(f"{scheme}://{FAR}")
    assert (error.trouble, error.cause) == (QueueTrouble.SETUP, Cause.PROXY)
    assert error.body == f"Write http:// instead of https:// in {variable}."


UNREADABLE = [
    "http://",
    "://x",
    "http://[::1",
    "http://proxy:abc",
    "http://127.0.0.1:99999",
    "http://a b:80",
    "http://.:1",
    f"http://{'a' * 300}:1",
    "http://x\x1b[31m:80",
    "http://127.0.0.1:1\r\nX: y",
    "socks5://127.0.0.1:1",
    "ftp://127.0.0.1:1",
    "http://me:huntér2@127.0.0.1:1",
]


@each_spelling
@pytest.mark.parametrize("value", UNREADABLE)
def test_value_that_is_no_proxy_is_a_setup_fault(
    monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    error = refusal(f"{scheme}://{FAR}")
    assert (error.trouble, error.cause) == (QueueTrouble.SETUP, Cause.PROXY)
    assert error.title == f"The proxy set by {variable} can't be used"
    assert (error.text + error.detail).isprintable()


@pytest.mark.parametrize(
    "value",
    [
        "http://me:hunter2@proxy:abc",
        "me:hunter2@proxy:abc",
        "socks5://me:hunter2@127.0.0.1:1",
        "http://me:hunter2/x@proxy:1",
        "http://me:hunter2#x@proxy:1",
        "http://me:hunter2?x@proxy:1",
        "me:hunter2/x@proxy:1",
    ],
)
def test_password_in_a_value_that_is_no_proxy_is_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    error = refusal(f"https://{FAR}")
    assert error.cause is Cause.PROXY
    assert "hunter2" not in error.text + error.detail


def test_proxy_without_a_scheme_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", DEAD)
    assert refusal(f"https://{FAR}").title == f"Can't reach the proxy {DEAD}"


def test_lower_case_takes_precedence(serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{serve(407)}")
    monkeypatch.setenv("https_proxy", f"http://{DEAD}")
    assert "(https_proxy)" in refusal(f"https://{FAR}").body


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("value", ["127.0.0.1", "*", "localhost,127.0.0.1:1"])
def test_excluded_server_does_not_blame_the_proxy(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:2")
    monkeypatch.setenv(variable, value)
    error = refusal(f"http://{DEAD}")
    assert error.title == f"Can't reach the queue server at http://{DEAD}"
    assert error.body.startswith(f"{variable} excludes it from the proxy.")


@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_variable_that_aws_does_not_use_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:2")
    error = refusal(f"{scheme}://{DEAD}")
    assert error.body.startswith(f"The proxy in {variable} is not used for AWS; set {scheme.upper()}_PROXY.")


def test_proxy_of_the_other_scheme_is_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:2")
    assert "PROXY" not in refusal(f"http://{DEAD}").text


# --- what a server says


HOSTILE = "A\x1b[31mPWN\x1b]0;title\x07\r\nFORGED LINE\u202e\u2066\u2028\x9b2J\x00"


@pytest.mark.parametrize("status", [400, 403, 404, 500])
@pytest.mark.parametrize("text", [HOSTILE, "x" * 1_000_000, HOSTILE * 1000], ids=["hostile", "long", "both"])
@pytest.mark.parametrize("where", ["code", "message", "header", "both"])
def test_text_of_a_server_is_one_short_printable_line(
    serve: Callable[..., str], status: int, text: str, where: str
) -> None:
    body = {"__type": "AccessDenied", "message": "m"}
    if where in {"code", "both"}:
        body["__type"] = f"com.amazonaws.sqs#{text}"
    if where in {"message", "both"}:
        body["message"] = text
    in_header = "".join(char for char in text if ord(char) < 0x100 and char not in "\r\n\0")[:8000]
    headers = {"x-amzn-query-error": f"{in_header};Sender"} if where == "header" else {}
    error = refusal(f"http://{serve(status, json.dumps(body).encode(), JSON, headers)}")
    shown = [error.text, error.title, error.body, error.detail, error.said, str(error)]
    if error.right is not None:
        shown += [error.right.request_text(), error.right.policy().replace("\n", "")]
    for line in shown:
        assert line.isprintable()
        assert len(line) < 10_000
