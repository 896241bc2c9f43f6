"""A missing IAM permission, with a policy that grants it and a request to an administrator."""

from __future__ import annotations

import json
from dataclasses import dataclass

from desktop_app.domain.sentences import Sentence

ACTIONS = {
    "SendMessage": ("sqs:SendMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"),
    "ReceiveMessage": (
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueUrl",
        "sqs:GetQueueAttributes",
    ),
}
"""The permissions to request when an API action is denied: its own and any others needed with it."""


@dataclass(frozen=True, slots=True)
class MissingRight:
    """An API action that AWS denied.

    Attributes:
        action: The action, such as `sqs:ReceiveMessage`.
        resource: The queue's ARN, with `*` for unknown parts.
        principal: The ARN of the signed-in identity; empty if unknown.
        service_text: The error message from AWS.
    """

    action: str
    resource: str
    principal: str = ""
    service_text: str = ""

    def policy(self) -> str:
        """Return an IAM policy in JSON that grants the permission and any others needed with it."""
        name = self.action.partition(":")[2]
        actions = list(ACTIONS.get(name, (self.action,))) if self.action.startswith("sqs:") else [self.action]
        statement = {"Effect": "Allow", "Action": actions, "Resource": self.resource}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)

    def request_text(self) -> Sentence:
        """Return a request to an administrator, to be sent together with the policy."""
        return Sentence(
            "Please allow {action} on {resource} for {principal}. Filemill needs this permission "
            "to use the queue. Response from AWS: {said} This policy grants the permission:",
            action=self.action,
            resource=self.resource,
            principal=self.principal or Sentence("my identity"),
            said=self.service_text,
        )
