from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from desktop_app.domain.keys import KeySet

some_keys = st.lists(st.integers(1, 300), unique=True)


@given(some_keys, some_keys, st.sampled_from([0, 10**6, 10**12]))
def test_key_sets_contain_exactly_their_keys(one: list[int], other: list[int], more: int) -> None:
    one, other = [key + more for key in one], [key + more for key in other]
    found = KeySet(array("q", one))
    assert list(found) == sorted(one)
    assert len(found) == len(one)
    assert [key for key in range(more, more + 302) if key in found] == sorted(one)
    assert list(found.removed_from(array("q", other))) == [key for key in other if key not in one]
    places = KeySet(one).places_in(array("q", other))
    assert [at for first, last in places for at in range(first, last + 1)] == [
        at for at, key in enumerate(other) if key in one
    ]
    assert list(KeySet(one) | KeySet(other)) == sorted({*one, *other})
    assert [key for key, mark in enumerate(found.marks, found.least) if mark] == sorted(one)
    assert bool(found) == bool(one)


def test_key_that_is_given_twice_is_contained_once() -> None:
    assert list(KeySet([1, 3, 3])) == [1, 3]
