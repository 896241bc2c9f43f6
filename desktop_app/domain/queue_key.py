"""The keys that identify queues in the database.

A key names the place of a queue as boto3 resolves it, its account, and its name. For AWS the place is the region, since
all endpoints of a region lead to the same queues; for any other server it is the normalized URL and the region, since
such a server can have a queue of the same name in each region. Examples:

* `eu-west-1 123456789012/team`: a queue on AWS.
* `http://127.0.0.1:4566 us-east-1 000000000000/team`: a queue on another server.
* `eu-west-1 team with profile work`: a queue that has not responded yet, so that its account is unknown. It is
  identified by the credentials that lead to it. If boto3 can't find out the region, `?` takes its place.
* `aws team`, `eu-west-1 team`, `http://localhost:4566 team`: keys of Filemill 0.1.0, made from what the user had typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Self
from urllib.parse import urlsplit

from desktop_app.domain.sentences import Sentence

UNKNOWN_REGION = "?"
NO_ACCOUNT = "000000000000"
"""The account in the queue URLs of servers that know no accounts."""
FIRST_GROUP = "filemill"
"""The message group of all messages on a FIFO queue in strict order, unless a foreign message blocks it."""

PARTITION_DOMAINS = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}
"""The domain of the standard endpoints in each partition of AWS."""

_REGION = r"[a-z]{2,5}(?:-[a-z]+)+-\d+"
_DOMAINS = "|".join(
    re.escape(domain)
    for domain in (
        *PARTITION_DOMAINS.values(),
        *("api.aws", "api.amazonwebservices.com.cn", "api.amazonwebservices.eu"),  # dual-stack
        *("api.aws.ic.gov", "api.aws.scloud", "api.cloud-aws.adc-e.uk", "api.aws.hci.ic.gov"),
    )
)
_AWS_HOST = re.compile(
    rf"(?:(?:[\w-]+\.)?sqs(?:-fips)?\.(?P<region>{_REGION})(?:\.vpce)?|(?P<legacy>{_REGION})\.queue)\.(?:{_DOMAINS})"
    r"|queue\.amazonaws\.com"
)
"""The endpoints of SQS in all partitions: standard, FIPS, dual-stack, VPC, and legacy ones with `queue`."""
_PORTS = {"http": 80, "https": 443}
_ACCOUNT = re.compile(r"(?:^|/)(\d{12})/[^/]+/?$")
_KEY = re.compile(
    r"(?:(?P<server>\w+://\S+) )?(?P<region>[\w?-]+) (?:(?P<account>\d{12})/)?(?P<name>[\w.-]+)"
    r"(?: with (?P<credentials>.+))?",
    re.DOTALL,
)
_OLD_KEY = re.compile(r"(?P<place>\S+) (?P<name>[\w.-]+)")


def aws_region(host: str) -> str:
    """Return the region of an endpoint of SQS on AWS; empty for any other host."""
    found = _AWS_HOST.fullmatch(host.lower().rstrip("."))
    return (found["region"] or found["legacy"] or "us-east-1") if found else ""


def place_of(endpoint_url: str, region: str) -> tuple[str, str]:
    """Return the normalized URL of a server, which is empty for AWS, and the region of its queues.

    Args:
        endpoint_url: A valid endpoint URL; empty for the default endpoint of the region.
        region: The region of the requests.
    """
    parts = urlsplit(endpoint_url)
    host = (parts.hostname or "").rstrip(".")
    region = region.replace("fips-", "").replace("-fips", "")  # as in botocore: fips-us-east-1 is an endpoint's name
    if not host or (on_aws := aws_region(host)):
        return "", (on_aws if host else region)
    port = parts.port if parts.port != _PORTS.get(parts.scheme) else None
    return f"{parts.scheme}://{_normal_host(host)}{f':{port}' if port else ''}{parts.path.rstrip('/')}", region


def _normal_host(host: str) -> str:
    """Return a host name or address in one form; all names of the loopback interface become `127.0.0.1`."""
    try:
        address = ip_address(host)
    except ValueError:
        return "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
        if address.is_loopback:
            return "127.0.0.1"
        return f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    return str(address)


def account_of(queue_url: str) -> str:
    """Return the account in a queue URL, such as `123456789012`; empty if it contains none."""
    found = _ACCOUNT.search(urlsplit(queue_url).path)
    return found[1] if found else ""


def old_place_and_name(key: str) -> tuple[str, str] | None:
    """Return the place and the name in a key of Filemill 0.1.0; None for any other key.

    The place is `aws`, a region or an endpoint URL.
    """
    found = _OLD_KEY.fullmatch(key)
    return (found["place"], found["name"]) if found and found["place"] != UNKNOWN_REGION else None


def name_of(key: str) -> str:
    """Return the queue's name in a key of any form."""
    return key.partition(" with ")[0].rpartition(" ")[2].rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class QueueKey:
    """The parts of a queue's key.

    Attributes:
        region: The region, or `UNKNOWN_REGION`.
        name: The queue's name.
        server: The normalized URL of a server other than AWS; empty for AWS.
        account: The 12 digits of the account; empty if it is unknown or the server has none.
        credentials: The source of the credentials if the queue has not responded yet; otherwise empty.
    """

    region: str
    name: str
    server: str = ""
    account: str = ""
    credentials: str = ""

    def __str__(self) -> str:
        """Return the key as it is stored."""
        account = f"{self.account}/" if self.account else ""
        credentials = f" with {self.credentials}" if self.credentials else ""
        return f"{f'{self.server} ' if self.server else ''}{self.region} {account}{self.name}{credentials}"

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """Return the parts of a stored key; None for the embedded queue and for a key of an unknown form."""
        found = _KEY.fullmatch(key)
        return cls(**{name: value or "" for name, value in found.groupdict().items()}) if found else None

    @property
    def label(self) -> str:
        """A short description: `team · eu-west-1` on AWS, `team on 127.0.0.1:9324` on any other server."""
        server = self.server.partition("://")[2]
        if server:
            return Sentence("{queue} on {server}", queue=self.name, server=server)
        return " · ".join(filter(None, (self.name, "" if self.region == UNKNOWN_REGION else self.region)))


def queue_label(key: str) -> str:
    """Return a description of a queue that can be told from others, such as `team · eu-west-1 · 123456789012`.

    The regions of a server other than AWS are not named: most servers have none, and those of the others mean nothing
    to the user.
    """
    if old := old_place_and_name(key):
        name, server = old[1], old[0].partition("://")[2]
        return Sentence("{queue} on {server}", queue=name, server=server) if server else f"{name} · {old[0]}"
    parts = QueueKey.parse(key)
    if parts is None:
        return key
    account = "" if parts.account == NO_ACCOUNT else parts.account
    more = " · ".join(filter(None, (account, parts.credentials)))
    return Sentence("{queue} · {more}", queue=parts.label, more=more) if more else parts.label
