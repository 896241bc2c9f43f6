"""A queue's ARN, as AWS's own pages show it, and the URL that means the same. Imports nothing of ours."""

from __future__ import annotations

import re

_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):sqs:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<name>[\w.-]+)")
_DOMAINS = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}


def without_arn(queue: str, *, elsewhere: bool) -> str:
    """A queue's name or URL as it is; its URL if it is given as an ARN.

    Args:
        queue: What a person typed.
        elsewhere: True if the queue is on another server, which only knows the name.
    """
    found = _ARN.fullmatch(queue)
    if found is None:
        return queue
    if elsewhere:
        return found["name"]
    domain = _DOMAINS.get(found["partition"], "amazonaws.com")
    return f"https://sqs.{found['region']}.{domain}/{found['account']}/{found['name']}"
