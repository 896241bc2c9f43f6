"""Simulate the network for botocore: requests to other computers get scripted responses; loopback works as usual."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import URLLib3Session

from tests.helpers.sqs.errors import no_such_queue
from tests.helpers.sqs.simulator import REGION
from tests.helpers.sqs.wire import answer, error_answer

if TYPE_CHECKING:
    import pytest
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from tests.helpers.sqs.kit import SimulatedSqs

WHO = "arn:aws:sts::123456789012:assumed-role/Ops/me"
_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>{arn}</Arn><UserId>x</UserId><Account>{account}</Account></GetCallerIdentityResult>"
    "<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
)
_REFUSED = (
    "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the request is "
    "invalid.</Message></Error><RequestId>x</RequestId></ErrorResponse>"
)


@dataclass
class Internet:
    """The simulated network of botocore.

    Attributes:
        sim: Answers requests to SQS.
        regions: The regions of the queues.
        asked: The hosts of all requests.
        identity: The owner of the keys.
        refuses_keys: Whether AWS rejects the keys.
        has_sts: Whether STS returns the identity.
        servers: The hosts and ports of the servers other than AWS.
        key_ids: The access key IDs with which the requests to these servers were signed.
    """

    sim: SimulatedSqs
    regions: set[str] = field(default_factory=lambda: {REGION})
    asked: list[str] = field(default_factory=list)
    identity: str = WHO
    refuses_keys: bool = False
    has_sts: bool = True
    servers: set[str] = field(default_factory=set)
    key_ids: list[str] = field(default_factory=list)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = URLLib3Session.send

        def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
            parts = urlsplit(request.url)
            host = parts.hostname or ""
            if parts.netloc in self.servers:
                found = re.search(r"Credential=([^/]+)/", str(request.headers.get("Authorization", "")))
                self.key_ids.append(found[1] if found else "")
                return self.sim.faults.handle(request, self.sim.simulator.answer)
            if host in {"127.0.0.1", "localhost"}:
                return real(session, request)
            self.asked.append(host)
            return self._answer(host, request)

        monkeypatch.setattr(URLLib3Session, "send", send)

    def _answer(self, host: str, request: AWSPreparedRequest) -> AWSResponse:
        if host.startswith("sts.") and not self.has_sts:
            raise EndpointConnectionError(endpoint_url=request.url, error="no route")
        if host.startswith("sts.") and self.refuses_keys:
            return answer(request.url, 403, {"Content-Type": "text/xml"}, _REFUSED.encode())
        if host.startswith("sts."):
            account = self.identity.split(":")[4]
            text = _IDENTITY.format(arn=self.identity, account=account)
            return answer(request.url, 200, {"Content-Type": "text/xml"}, text.encode())
        if host.startswith("portal.sso."):
            keys: dict[str, Any] = {"accessKeyId": "A", "secretAccessKey": "B", "sessionToken": "C"}
            body = json.dumps({"roleCredentials": {**keys, "expiration": 4_000_000_000_000}})
            return answer(request.url, 200, {"Content-Type": "application/json"}, body.encode())
        if host.split(".")[1] not in self.regions:
            return error_answer(request.url, no_such_queue())
        return self.sim.faults.handle(request, self.sim.simulator.answer)
