"""The parsing of what is typed into the filter box."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.domain.job import Status
from desktop_app.domain.query import NO_SEARCH, Search, SizeRange, parse_search


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", ()),
        ("   ", ()),
        ("orders", ("orders",)),
        ("orders  2026", ("orders", "2026")),
        ('"my orders" x', ("my orders", "x")),
        ('my" "orders', ("my orders",)),
        ('"not closed yet', ("not closed yet",)),
        ('""', ()),
        ('"status:failed"', ("status:failed",)),
        ("C:\\in", ("C:\\in",)),
        ("colour:red", ("colour:red",)),
        ("status:sleeping", ("status:sleeping",)),
        ("size:big", ("size:big",)),
        ("size:>10apples", ("size:>10apples",)),
        ("size:>MB", ("size:>MB",)),
        (":", (":",)),
    ],
)
def test_plain_words_and_apparent_conditions(typed: str, words: tuple[str, ...]) -> None:
    assert parse_search(typed) == Search(words=words)


@pytest.mark.parametrize(
    ("typed", "statuses"),
    [
        ("status:failed", {Status.FAILED}),
        ("STATUS:Failed", {Status.FAILED}),
        ("status:fai", {Status.FAILED}),
        ('status:"failed"', {Status.FAILED}),
        ("status:proc", {Status.PROCESSING, Status.PROCESSED}),
        ("status:failed status:pending", {Status.FAILED, Status.PENDING}),
    ],
)
def test_statuses_can_be_abbreviated(typed: str, statuses: set[Status]) -> None:
    assert parse_search(typed) == Search(statuses=frozenset(statuses))


@pytest.mark.parametrize(
    ("typed", "least", "most"),
    [
        ("size:>10", 11, None),
        ("size:>=10", 10, None),
        ("size:<10", None, 9),
        ("size:<=10", None, 10),
        ("size:10", 10, 10),
        ("size:>10MB", 10_000_001, None),
        ("size:>1kB", 1001, None),
        ("size:>1k", 1001, None),
        ("size:>=1KiB", 1024, None),
        ("size:<2GiB", None, 2 * 1024**3 - 1),
        ("size:>=2gb", 2_000_000_000, None),
        ("size:>=1.5kB", 1500, None),
        ("size:>=1,5kB", 1500, None),
        ("size:>1.5b", 2, None),
        ("size:>=1.5b", 2, None),
        ("size:<1.5b", None, 1),
        ("size:<=1.5b", None, 1),
    ],
)
def test_sizes_to_the_byte(typed: str, least: int | None, most: int | None) -> None:
    assert parse_search(typed) == Search(sizes=(SizeRange(least, most),))


def test_size_beyond_the_range_of_the_database_is_bounded() -> None:
    (size,) = parse_search("size:>999999999999999TiB").sizes
    assert size.least is not None
    assert size.least < 2**63


@pytest.mark.parametrize("typed", ["status:", "size:", "size:>", "size:<=", "size:>10ki", "reason:", 'reason:"'])
def test_unfinished_condition_filters_nothing(typed: str) -> None:
    assert parse_search(typed) == NO_SEARCH


def test_everything_together() -> None:
    assert parse_search('in size:>1kB reason:"no longer" reason:missing size:<1MB status:f') == Search(
        words=("in",),
        statuses=frozenset({Status.FAILED}),
        sizes=(SizeRange(least=1001), SizeRange(most=999_999)),
        reasons=("no longer", "missing"),
    )


@given(st.text(alphabet='abc:<>=". 19kMiBstatuszreon\\\u00e4', max_size=40))
def test_every_text_means_something(typed: str) -> None:
    search = parse_search(typed)
    assert all(search.words)
    assert all(search.reasons)
    if typed.count('"') % 2 == 0:
        assert parse_search(f" {typed} ") == search
