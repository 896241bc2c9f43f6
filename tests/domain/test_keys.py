from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from desktop_app.domain.keys import NO_KEYS, KeySet

some_keys = st.lists(st.integers(1, 300), unique=True)


@given(some_keys, some_keys)
def test_key_sets_contain_exactly_their_keys(one: list[int], other: list[int]) -> None:
    found = KeySet(array("q", one))
    assert list(found) == sorted(one)
    assert len(found) == len(one)
    assert [key for key in range(302) if key in found] == sorted(one)
    assert [key for first, last in found.runs for key in range(first, last + 1)] == sorted(one)
    assert list(found.removed_from(array("q", other))) == [key for key in other if key not in one]
    places = KeySet(one).places_in(array("q", other))
    assert [at for first, last in places for at in range(first, last + 1)] == [
        at for at, key in enumerate(other) if key in one
    ]
    assert list(KeySet(one) | KeySet(other)) == sorted({*one, *other})
    assert found.json == str(sorted(one)).replace(" ", "")


def test_runs_of_consecutive_keys_are_merged() -> None:
    assert KeySet(array("q", range(7, 1_000_007))).runs == [(7, 1_000_006)]
    assert KeySet([9, 4, 8, 5]).runs == [(4, 5), (8, 9)]
    assert not NO_KEYS
    assert NO_KEYS.json == "[]"
