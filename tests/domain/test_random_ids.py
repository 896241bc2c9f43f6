"""Random identifiers."""

from __future__ import annotations

import uuid

import pytest

from desktop_app.domain.random_ids import random_uuids


@pytest.mark.parametrize("count", [0, 1, 2_000])
def test_each_is_another_random_uuid_in_the_usual_form(count: int) -> None:
    made = random_uuids(count)
    assert len(set(made)) == count
    for text in made:
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)
