from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from desktop_app.domain.keys import KeySet

some_keys = st.lists(st.integers(1, 300), unique=True)


@given(some_keys, some_keys)
def test_key_sets_contain_exactly_their_keys(one: list[int], other: list[int]) -> None:
    found = KeySet(array("q", one))
    assert list(found) == sorted(one)
    assert len(found) == len(one)
    assert [key for key in range(302) if key in found] == sorted(one)
    assert list(found.removed_from(array("q", other))) == [key for key in other if key not in one]
    places = KeySet(one).places_in(array("q", other))
    assert [at for first, last in places for at in range(first, last + 1)] == [
        at for at, key in enumerate(other) if key in one
    ]
    assert list(KeySet(one) | KeySet(other)) == sorted({*one, *other})
    assert [key for key, mark in enumerate(found.marks) if mark] == sorted(one)
    assert bool(found) == bool(one)
