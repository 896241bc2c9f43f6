"""Recognize network faults: a wrong address or protocol, a proxy that fails, and certificates that can't be used."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from botocore import exceptions as boto

from desktop_app.domain.assurances import CONTINUES_WITH_PROXY, FILES_STAY, LOSES_NOTHING, joined
from desktop_app.domain.errors import Cause, QueueTrouble
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.routes import configured_endpoint, ignored_proxy_setting, proxy_for

if TYPE_CHECKING:
    from desktop_app.config.settings import Connection
    from desktop_app.queues.routes import Proxy

_XML_ANSWER = re.compile(r"<(?:\w+:)?\w*Response[\s>/]")
_HTTPS_WANTED = re.compile(
    r"plain HTTP request|HTTP request to an HTTPS|speaking plain HTTP|BadStatusLine\('\\x1[56]", re.IGNORECASE
)
"""What servers that use HTTPS respond to plain HTTP: nginx, Go, Apache, and the first byte of a TLS record."""
_NO_TLS = ("WRONG_VERSION_NUMBER", "wrong version number", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE",
           "record layer failure", "PACKET_LENGTH_TOO_LONG", "packet length too long")  # fmt: skip
_UNREADABLE_BUNDLE = re.compile(r"\[Errno|\[X509|NO_CERTIFICATE_OR_CRL|invalid path")
_BUNDLE_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_OF_ANOTHER_SERVER = frozenset({
    HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
})  # fmt: skip
"""Server errors that are not temporary: from a server that does not support POST, or from a network's sign-in page."""
_UNKNOWN_ACTION = re.compile(r"(?:.*#)?(?:InvalidAction|UnknownOperation|UnknownOperationException)")
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_UNREACHED = (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.HTTPClientError)


class Place(Protocol):
    """A function that returns the server as part of a sentence."""

    def __call__(self, *, starts_sentence: bool = False) -> Sentence:
        """Return, for example, `the queue server at http://localhost:9324`."""
        ...


@dataclass(frozen=True, slots=True)
class NetworkFault:
    """A fault between this computer and the server.

    Attributes:
        trouble, cause: See `QueueError`.
        title, body: The texts; empty for those that describe the cause in general.
        note: Sentences to put before the general text; may be empty.
    """

    trouble: QueueTrouble
    cause: Cause
    title: str = ""
    body: str = ""
    note: str = ""


def network_fault(error: Exception, connection: Connection, place: Place) -> NetworkFault | None:
    """Return the fault that caused an exception of botocore; None if it has another cause.

    Args:
        error: The exception.
        connection: The connection, with the address that the AWS configuration sets.
        place: The server.
    """
    way = _Way(error, connection)
    if isinstance(error, boto.ClientError):
        return _of_answer(error, way, place)
    if isinstance(error, boto.SSLError):
        return _of_encryption(str(error), way, place)
    if isinstance(error, (boto.ProxyConnectionError, *_UNREACHED)) and way.proxy is not None and not way.proxy.address:
        return _unreadable(way.proxy)
    if isinstance(error, boto.ProxyConnectionError):
        return _of_proxy(way.cause, way.proxy, place)
    if way.start is not None:
        return _older_protocol(place) if _XML_ANSWER.search(way.start) else way.not_sqs()
    if isinstance(error, boto.InvalidIMDSEndpointError):
        return None
    if str(error).startswith("Invalid endpoint") or "Not supported URL scheme" in str(error):
        return _invalid_address(way)
    return _unreached(way, place) if isinstance(error, _UNREACHED) else None


class _Way:
    """The route of a request that failed, as far as it is known.

    Attributes:
        endpoint_url: The server's address; empty if the region determines it.
        proxy: The proxy; None if there is none.
        is_plain: Whether the request was sent over plain HTTP.
        cause: The text of the exception that botocore wrapped; may be empty.
        was_closed: Whether the server closed the connection, which can happen before it is used, too.
        start: The beginning of a response that is not from SQS; None for other exceptions.
    """

    def __init__(self, error: Exception, connection: Connection) -> None:
        details: dict[str, object] = getattr(error, "kwargs", {})
        start = details.get("start")
        url = details.get("endpoint_url") or connection.endpoint_url
        self._connection = connection
        self._url = str(url or f"https://sqs.{connection.region or 'us-east-1'}.amazonaws.com/")
        self.endpoint_url = connection.endpoint_url
        self.proxy = proxy_for(self._url)
        self.is_plain = self._url.startswith("http:")
        wrapped = details.get("error", "")
        self.cause = str(wrapped)
        self.was_closed = isinstance(error, boto.ConnectionClosedError) or isinstance(
            getattr(wrapped, "__cause__", None), ConnectionResetError
        )
        self.start = start.decode("ascii", "replace") if isinstance(start, bytes) else None

    def not_sqs(self) -> NetworkFault:
        """Return the fault of a response that is not from SQS."""
        return NetworkFault(QueueTrouble.OFFLINE, Cause.NOT_SQS, note=joined(self._source_note(), self._proxy_note()))

    @property
    def source(self) -> str:
        """The setting that contains the server's address; empty for Filemill's own settings."""
        endpoint = configured_endpoint(self._connection)
        return endpoint.source if endpoint is not None else ""

    def _source_note(self) -> str:
        source = self.source
        return Sentence("Its address is set by {source}.", source=source) if source else ""

    def _proxy_note(self) -> str:
        if self.proxy is None:
            return ""
        return Sentence(
            "Requests use the proxy {address}, set by {source}.", address=self.proxy.address, source=self.proxy.source
        )

    def notes(self) -> str:
        """Return sentences about the address and the proxy, or about a proxy setting that does not apply."""
        return joined(self._source_note(), self._proxy_note() or ignored_proxy_setting(self._url))


def _of_answer(error: boto.ClientError, way: _Way, place: Place) -> NetworkFault | None:
    """Return the fault of a response without an error code of SQS, for which botocore uses the HTTP status."""
    answer = error.response.get("Error", {})
    code, said = str(answer.get("Code", "")), str(answer.get("Message", ""))
    if _UNKNOWN_ACTION.fullmatch(code):
        return _not_supported(place)
    if not re.fullmatch(r"[345]\d\d", code):
        return None
    if _XML_ANSWER.search(said):
        return _older_protocol(place)
    if _HTTPS_WANTED.search(said):
        return _https_wanted(place)
    status = int(code)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return _sign_in_to_proxy(way.proxy, place)
    is_of_server = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _OF_ANOTHER_SERVER
    if is_of_server and way.is_plain and way.proxy is not None:  # over HTTPS, a proxy can't respond to a request
        return _of_server_or_proxy(status, way.proxy, place)
    return None if is_of_server or status in _PASSING else way.not_sqs()


# --- the address and the protocol


def _older_protocol(place: Place) -> NetworkFault:
    return NetworkFault(
        QueueTrouble.SETUP,
        Cause.PROTOCOL,
        Sentence("{place} supports only the older XML protocol of SQS", place=place(starts_sentence=True)),
        Sentence("Filemill needs the JSON protocol. Update the server, or choose a queue on another one."),
    )


def _not_supported(place: Place) -> NetworkFault:
    return NetworkFault(
        QueueTrouble.SETUP,
        Cause.PROTOCOL,
        Sentence("{place} does not support a request that Filemill needs", place=place(starts_sentence=True)),
        Sentence("Check that its address is the address of an SQS server, or choose a queue on another one."),
    )


def _https_wanted(place: Place) -> NetworkFault:
    return NetworkFault(
        QueueTrouble.SETUP,
        Cause.PROTOCOL,
        Sentence("{place} requires HTTPS", place=place(starts_sentence=True)),
        Sentence("Write https:// instead of http:// in its address."),
    )


def _of_encryption(text: str, way: _Way, place: Place) -> NetworkFault | None:
    if any(part in text for part in _NO_TLS):
        if not way.endpoint_url:  # a network's sign-in page instead of AWS
            return way.not_sqs()
        return NetworkFault(
            QueueTrouble.SETUP,
            Cause.PROTOCOL,
            Sentence("{place} does not use HTTPS", place=place(starts_sentence=True)),
            Sentence("Check its address and port; if the server uses HTTP, write http:// instead of https://."),
        )
    if not _UNREADABLE_BUNDLE.search(text):
        return None
    source = next((name for name in _BUNDLE_VARIABLES if os.environ.get(name)), "ca_bundle")
    return NetworkFault(
        QueueTrouble.SETUP,
        Cause.NOT_TRUSTED,
        Sentence("The file of trusted certificates can't be used"),
        Sentence(
            "{source} names a file that does not exist or contains no certificates. Correct or remove this setting.",
            source=source,
        ),
    )


def _invalid_address(way: _Way) -> NetworkFault | None:
    if not way.endpoint_url:
        return None
    example = Sentence("Use an address such as “http://localhost:9324” or “https://…”.")
    source = way.source
    note = Sentence("It is set by {source}.", source=source) if source else ""
    title = Sentence("The address “{url}” is not valid", url=way.endpoint_url)
    return NetworkFault(QueueTrouble.SETUP, Cause.SETUP, title, joined(note, example))


def _unreached(way: _Way, place: Place) -> NetworkFault | None:
    if _HTTPS_WANTED.search(way.cause):
        return _https_wanted(place)
    if "BadStatusLine" in way.cause:
        return way.not_sqs()
    hint = ""
    if way.was_closed and way.is_plain and way.proxy is None:
        hint = Sentence("If the server uses HTTPS, write https:// in its address.")
    note = joined(way.notes(), hint)
    return NetworkFault(QueueTrouble.OFFLINE, Cause.OFFLINE, note=note) if note else None


# --- the proxy


def _unreadable(proxy: Proxy) -> NetworkFault:
    return NetworkFault(
        QueueTrouble.SETUP,
        Cause.PROXY,
        Sentence("The proxy set by {source} can't be used", source=proxy.source),
        joined(
            Sentence(
                "Its value is not the address of an HTTP proxy. Write an address such as “http://proxy.example:8080”, "
                "or remove it."
            ),
            FILES_STAY,
        ),
    )


def _of_proxy(text: str, proxy: Proxy | None, place: Place) -> NetworkFault:
    status = _TUNNEL.search(text)
    if status is not None and int(status[1]) == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return _sign_in_to_proxy(proxy, place)
    if status is not None or proxy is None:
        return NetworkFault(
            QueueTrouble.OFFLINE,
            Cause.PROXY,
            Sentence("The proxy refused the connection to {place}", place=place()),
            _proxy_advice(proxy),
        )
    if "appears to only use HTTP" in text:
        advice = Sentence("Write http:// instead of https:// in {source}.", source=proxy.source)
        title = Sentence("The proxy {address} does not use HTTPS", address=proxy.address)
        return NetworkFault(QueueTrouble.SETUP, Cause.PROXY, title, advice)
    title = Sentence("Can't reach the proxy {address}", address=proxy.address)
    return NetworkFault(QueueTrouble.OFFLINE, Cause.PROXY, title, _proxy_advice(proxy))


def _of_server_or_proxy(status: int, proxy: Proxy, place: Place) -> NetworkFault:
    title = Sentence("{place} is temporarily unavailable ({code})", place=place(starts_sentence=True), code=status)
    note = Sentence(
        "The response may be from the proxy {address}, set by {source}.", address=proxy.address, source=proxy.source
    )
    body = joined(note, LOSES_NOTHING)
    return NetworkFault(QueueTrouble.OFFLINE, Cause.OFFLINE, title, body)


def _sign_in_to_proxy(proxy: Proxy | None, place: Place) -> NetworkFault:
    if proxy is None:
        title = Sentence("A proxy on the way to {place} requires a user name and password", place=place())
        return NetworkFault(QueueTrouble.OFFLINE, Cause.PROXY, title, _proxy_advice(proxy))
    return NetworkFault(
        QueueTrouble.OFFLINE,
        Cause.PROXY,
        Sentence("The proxy {address} requires a user name and password", address=proxy.address),
        joined(
            Sentence(
                "Check those in {source}: “http://name:password@proxy.example:8080”, with special characters "
                "percent-encoded.",
                source=proxy.source,
            ),
            FILES_STAY,
        ),
    )


def _proxy_advice(proxy: Proxy | None) -> str:
    if proxy is None:
        return joined(Sentence("Check the proxy settings."), CONTINUES_WITH_PROXY)
    return joined(Sentence("Check the proxy settings ({source}).", source=proxy.source), CONTINUES_WITH_PROXY)
