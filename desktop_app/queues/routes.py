"""Find out how requests reach the server: where its address and the proxy are set. Makes no requests.

botocore takes the address from several settings and variables, and the proxy from others. A message about a connection
that fails names the one that applies.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import botocore.session
from botocore.exceptions import BotoCoreError, InvalidConfigError
from botocore.utils import get_environ_proxies, should_bypass_proxies

from desktop_app.config.server_address import server_url
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_app.config.settings import Connection

Table = dict[str, Any]
"""A table of the AWS configuration files."""

_NOT_IN_A_URL = re.compile(r"[\s\x00-\x1f\x7f<>\"]")
_DELIMITER = re.compile(r"[/?#]")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server's address, and the variable or setting that contains it."""

    url: str
    source: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy for a request.

    Attributes:
        source: The variable that contains its URL, as it is spelled.
        address: Its host and port; empty if the value is not the URL of an HTTP proxy.
    """

    source: str
    address: str


def configured_endpoint(connection: Connection) -> Endpoint | None:
    """Return the address that a variable or the AWS configuration sets for a connection, and where.

    Returns:
        None if the region determines the address, or if it is only in Filemill's own settings.
    """
    if connection.typed is not None and not connection.endpoint_url:
        return None  # resolved: an address that was configured later is not used
    for endpoint in _endpoints(connection.profile):
        if not connection.endpoint_url or server_url(endpoint.url) == server_url(connection.endpoint_url):
            return endpoint
    return None


def _endpoints(profile: str) -> Iterator[Endpoint]:
    """Yield all addresses that are set; botocore uses the first."""
    session = botocore.session.Session(profile=profile or None)
    try:
        if session.get_config_variable("ignore_configured_endpoint_urls"):
            return
        name = profile or session.profile or "default"
        in_profile = list(profile_endpoints(session.get_scoped_config(), session.full_config, name))
    except (BotoCoreError, OSError, ValueError):
        in_profile = []
    for variable in ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"):
        if url := os.environ.get(variable):
            yield Endpoint(url, variable)
    yield from in_profile


def profile_endpoints(profile: Table, tables: Table, name: str = "") -> Iterator[Endpoint]:
    """Yield the addresses of SQS that a profile sets; botocore uses the first.

    Args:
        profile: The profile's table.
        tables: All tables of the AWS configuration.
        name: The profile's name for messages.

    Raises:
        InvalidConfigError: If the profile's services section does not exist.
    """
    section = profile.get("services")
    if section is not None:
        services = tables.get("services", {}).get(section)
        if not services:
            raise InvalidConfigError(error_msg=f"the services section {section!r} does not exist")
        sqs = services.get("sqs")
        if isinstance(sqs, dict) and sqs.get("endpoint_url"):
            source = Sentence("the services section “{name}” of the AWS configuration", name=section)
            yield Endpoint(str(sqs["endpoint_url"]), source)
    if profile.get("endpoint_url"):
        yield Endpoint(str(profile["endpoint_url"]), Sentence("endpoint_url of profile “{name}”", name=name))


def region_setting(region: str, profile: str) -> str:
    """Return the variable or the setting of a profile that contains a region; empty if neither does."""
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):  # in the order of `connection_from`
        if value := os.environ.get(variable, "").strip():
            return variable if value == region else ""
    session = botocore.session.Session(profile=profile or None)
    try:
        is_in_profile = session.get_scoped_config().get("region") == region
    except (BotoCoreError, OSError, ValueError):
        return ""
    if not is_in_profile:
        return ""
    return Sentence("the region of profile “{name}”", name=profile or session.profile or "default")


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy that botocore uses for a URL; None if it uses none."""
    try:
        scheme, value = urlsplit(url).scheme, get_environ_proxies(url).get(urlsplit(url).scheme, "")
    except ValueError:  # the URL is not valid
        return None
    if not value:
        return None
    source = _variable(f"{scheme}_proxy") or Sentence("the system's proxy settings")
    return Proxy(source, _address(value))


def proxy_logins() -> list[str]:
    """Return the user names and passwords in the URLs of all proxies, as in `name:password`.

    If a password contains a delimiter of URLs, libraries quote only the part before it, which is therefore returned as
    well.
    """
    logins = [value.rpartition("@")[0].rpartition("://")[2] for value in getproxies().values()]
    parts = [part for login in logins if ":" in (part := _DELIMITER.split(login)[0])]
    return list(filter(None, dict.fromkeys([*logins, *parts])))


def ignored_proxy_setting(url: str) -> str:
    """Return why a proxy setting does not apply to a URL, for which no proxy is used; empty if nothing is set."""
    try:
        scheme, is_excluded = urlsplit(url).scheme, should_bypass_proxies(url)
    except ValueError:  # the URL is not valid
        return ""
    proxy, others, excluding = (_variable(name) for name in (f"{scheme}_proxy", "all_proxy", "no_proxy"))
    if proxy and is_excluded and excluding:
        return Sentence("{variable} excludes it from the proxy.", variable=excluding)
    if others and not proxy and not is_excluded:
        wanted = f"{scheme.upper()}_PROXY"
        return Sentence("The proxy in {variable} is not used for AWS; set {wanted}.", variable=others, wanted=wanted)
    return ""


def _variable(name: str) -> str:
    """Return the spelling of a proxy variable that is set; lower case takes precedence. Empty if there is none."""
    if name in os.environ:
        return name if os.environ[name] else ""
    return next((spelling for spelling, value in os.environ.items() if spelling.lower() == name and value), "")


def _address(value: str) -> str:
    """Return the host and the port in the URL of an HTTP proxy, which may lack the scheme; empty if it is not valid."""
    if _NOT_IN_A_URL.search(value):
        return ""
    url = value if value.startswith(("http:", "https:")) else f"http://{value.removeprefix('//')}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
        (parts.username or "").encode("ascii")
        (parts.password or "").encode("ascii")
    except ValueError:
        return ""
    if not host or "//" in parts.path:  # as in http://socks5://…
        return ""
    if ":" in host:
        host = f"[{host}]"
    return f"{host}:{port}" if port else host
