"""Complete the addresses of servers as people type them, and take pasted queue URLs and ARNs apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from desktop_app.domain.queue_key import NO_ACCOUNT, aws_region

_BLANK = re.compile(r"\s")
_HOST = re.compile(r"[A-Za-z0-9:]")
_SCHEME = re.compile(r"^(https?)(?::/|//)(?=[^/])", re.IGNORECASE)
"""A scheme that lacks a slash or the colon; it can't be the name of a host, as in `http:/localhost`."""
_QUEUE_PATH = re.compile(r"(?:(?:/[\w-]+)*/(?P<account>\d{12})|/queue)/(?P<name>[\w.-]+)/?")
"""The path of a queue URL: the account and the name or, on older servers, `queue` and the name."""
_OWN_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test")
"""The ends of names that exist in local networks only, where servers rarely have certificates."""
_HTTPS_PORTS = {443, 8443}
_ARN_REGION = re.compile(r"arn:aws[a-z-]*:sqs:(?P<region>[a-z0-9-]+):\d{12}:[\w.-]+")


def server_url(typed: str) -> str:
    """Return the URL of a server from its address as it was typed; empty if nothing was.

    Without `http://` or `https://`, HTTPS is used for public names and addresses without a port. HTTP is used for
    addresses of this computer and of private networks, for names without a dot, and with any other port. The result is
    not checked: what can't be an address stays as it is.
    """
    url = _with_scheme(typed)
    return url if url.endswith("://") else url.rstrip("/")


def is_server_url(url: str) -> bool:
    """Return whether a URL can be the endpoint of a service."""
    try:
        parts = urlsplit(url)
        has_host = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # unbalanced brackets, or a port that is not a number
        return False
    return has_host and not parts.query and not parts.fragment and not _BLANK.search(url)


def queue_url(typed: str) -> str:
    """Return a queue's URL from its URL as it was typed, possibly without `http://`.

    Any other text, such as a name or an ARN, is returned without the blanks around it.
    """
    typed = typed.strip()
    if "://" in typed or _SCHEME.match(typed):
        return _with_scheme(typed)
    host, slash, path = typed.lstrip("/").partition("/")
    is_url = bool(_HOST.search(host)) and bool(_QUEUE_PATH.fullmatch(slash + path))
    return _with_scheme(typed) if is_url else typed


def _with_scheme(typed: str) -> str:
    """Return an address with a scheme, in lower case."""
    typed = _SCHEME.sub(r"\1://", typed.strip())
    scheme, separator, rest = typed.partition("://")
    if separator:
        return f"{scheme.lower()}://{rest}"
    host, slash, path = typed.lstrip("/").partition("/")
    if not host:
        return typed
    if _is_bare_ipv6(host):
        host = f"[{host}]"
    return f"{_scheme_for(host)}://{host}{slash}{path}"


def _is_bare_ipv6(host: str) -> bool:
    try:
        return isinstance(ip_address(host), IPv6Address)
    except ValueError:
        return False


def _scheme_for(authority: str) -> str:
    """Return the scheme for a host and an optional port: what a person who types no scheme most likely means."""
    try:
        parts = urlsplit(f"//{authority}")
        host, port = parts.hostname or "", parts.port
    except ValueError:  # not valid, which is reported later
        return "http"
    if port is not None:
        return "https" if port in _HTTPS_PORTS else "http"
    try:
        return "https" if ip_address(host).is_global else "http"
    except ValueError:
        return "http" if "." not in host.rstrip(".") or host.endswith(_OWN_NAMES) else "https"


@dataclass(frozen=True, slots=True)
class PastedQueue:
    """The parts of a pasted queue URL or ARN.

    Attributes:
        server: The URL of a server other than AWS; empty for AWS.
        queue: What identifies the queue there: its name or, if it is needed, its whole URL or ARN.
        region: The region on AWS; empty if it is unknown.
    """

    server: str
    queue: str
    region: str = ""


def pasted_queue(typed: str) -> PastedQueue | None:
    """Take a queue URL or an ARN apart; return None for any other text, such as the address of a server."""
    if found := _ARN_REGION.fullmatch(typed.strip()):
        return PastedQueue("", typed.strip(), found["region"])
    url = queue_url(typed)
    if "://" not in url:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    found = _QUEUE_PATH.fullmatch(parts.path)
    if found is None or not host or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    region = aws_region(host)
    if region:
        return PastedQueue("", url, region)
    is_default = found["account"] in {None, NO_ACCOUNT}
    return PastedQueue(f"{parts.scheme}://{parts.netloc}", found["name"] if is_default else url)
