"""A right that is missing, and the letter to who can give it."""

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
"""What goes with what: who asks for one of them needs the others next."""


@dataclass(frozen=True, slots=True)
class MissingRight:
    """An action that somebody may not do.

    Attributes:
        action: Such as `sqs:ReceiveMessage`.
        resource: The queue's ARN as far as it is known, else its name.
        principal: Who is signed in, an ARN; empty if that is not known.
        service_text: What AWS said.
    """

    action: str
    resource: str
    principal: str = ""
    service_text: str = ""

    def policy(self) -> str:
        """A statement of an IAM policy that gives the right, and what goes with it."""
        name = self.action.partition(":")[2]
        actions = list(ACTIONS.get(name, (self.action,))) if self.action.startswith("sqs:") else [self.action]
        statement = {"Effect": "Allow", "Action": actions, "Resource": self.resource}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)

    def letter(self) -> Sentence:
        """A request to an administrator, ready to be sent."""
        return Sentence(
            "Please allow {action} on {resource} for {principal}. Filemill needs it to work with this queue. "
            "AWS said: {said} A policy that allows it:",
            action=self.action,
            resource=self.resource,
            principal=self.principal or Sentence("my sign-in"),
            said=self.service_text,
        )
