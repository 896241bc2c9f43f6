"""Fields of results as keys in the filter box."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.domain.fields import Field, result_fields
from desktop_app.domain.search import NO_SEARCH, Key, NumberTerm, ResultKey, Search, Term, Text, TextTerm
from desktop_app.domain.search_parser import Names, parse_search

FIELDS = result_fields(
    [
        ("image", Field("pages", int, "Pages")),
        ("image", Field("ratio", float, "Ratio")),
        ("image", Field("format", str, "Format")),
        ("image", Field("verified", bool, "Verified")),
        ("image", Field("weight", int, "Weight", "bytes")),
        ("image", Field("size", int, "Size", "bytes")),
        ("image", Field("sha256", str, "SHA-256")),
    ]
)
NAMES = Names(
    keys={"format": "type"},
    answers={"ja": True, "nein": False},
    fields={field.name: field for field in FIELDS},
)
PAGES, RATIO, VERIFIED = ResultKey("pages"), ResultKey("ratio"), ResultKey("verified")


@pytest.mark.parametrize(
    ("typed", "term"),
    [
        ("pages:5", NumberTerm(PAGES, 5, 5)),
        ("PAGES:5", NumberTerm(PAGES, 5, 5)),
        ("pages:1,000", NumberTerm(PAGES, 1000, 1000)),
        ("pages:>2k", NumberTerm(PAGES, 2001)),
        ("pages:-5", NumberTerm(PAGES, -5, -5)),
        ("pages:<-5", NumberTerm(PAGES, most=-6)),
        ("pages:-5..-3", NumberTerm(PAGES, -5, -3)),
        ("pages:..7", NumberTerm(PAGES, most=7)),
        ("-pages:5", NumberTerm(PAGES, 5, 5, is_negated=True)),
        ("result.pages:5", NumberTerm(PAGES, 5, 5)),
        ("ratio:>=0.5", NumberTerm(RATIO, 0.5)),
        ("ratio:>0.5", NumberTerm(RATIO, math.nextafter(0.5, 1))),
        ("ratio:<0,5", NumberTerm(RATIO, most=math.nextafter(0.5, 0))),
        ("ratio:-1.5..2", NumberTerm(RATIO, -1.5, 2.0)),
        ("ratio:0.5", NumberTerm(RATIO, 0.45, math.nextafter(0.55, 0))),
        ("ratio:=0.5", NumberTerm(RATIO, 0.5, 0.5)),
        ("verified:yes", NumberTerm(VERIFIED, 1, 1)),
        ("verified:true", NumberTerm(VERIFIED, 1, 1)),
        ("verified:No", NumberTerm(VERIFIED, 0, 0)),
        ("verified:ja", NumberTerm(VERIFIED, 1, 1)),
        ("verified:nei", NumberTerm(VERIFIED, 0, 0)),
        ("weight:>1MB", NumberTerm(ResultKey("weight"), 1_000_001)),
        ("sha256:ab*", TextTerm(ResultKey("sha256"), (Text("ab*", is_pattern=True),))),
        ('sha256:"a b"', TextTerm(ResultKey("sha256"), (Text("a b"),))),
        ("size:5", NumberTerm(Key.SIZE, 5, 5)),
        ("result.size:5", NumberTerm(ResultKey("size"), 5, 5)),
        ("format:png", TextTerm(Key.TYPE, (Text("png"),))),
        ("result.format:png", TextTerm(ResultKey("format"), (Text("png"),))),
    ],
)
def test_field_is_a_key_unless_another_one_has_its_name(typed: str, term: Term) -> None:
    search = parse_search(typed, NAMES)
    assert search == Search((term,))
    assert search.problems == ()


@pytest.mark.parametrize(
    "typed", ["pages:", "pages:>", "pages:-", "pages:..", "ratio:>", "ratio:-", "ratio:..", "weight:>1k", "sha256:"]
)
def test_unfinished_condition_is_no_problem(typed: str) -> None:
    search = parse_search(typed, NAMES)
    assert search.problems == ()
    assert search == NO_SEARCH or typed == "weight:>1k"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("pages:many", "“many” is not a number. Examples: pages:0, pages:>1, pages:5..10"),
        ("pages:1.5x", "“1.5x” is not a number. Examples: pages:0, pages:>1, pages:5..10"),
        ("ratio:half", "“half” is not a number. Examples: ratio:0, ratio:>1, ratio:5..10"),
        ("ratio:1..x", "“1..x” is not a number. Examples: ratio:0, ratio:>1, ratio:5..10"),
        ("weight:big", "“big” is not a size. Examples: weight:>10MB, weight:1MB..2GB"),
        ("verified:maybe", "“maybe” is neither yes nor no. Examples: verified:yes, verified:no"),
        ("verified:n,y", "“n,y” is neither yes nor no. Examples: verified:yes, verified:no"),
        ("pagse:5", "There is no “pagse:”. Did you mean “pages:”? To search for the text, put it in quotes."),
        ("sha265:5", "There is no “sha265:”. Did you mean “sha256:”? To search for the text, put it in quotes."),
        (
            "result.pagse:5",
            "There is no “result.pagse:”. Did you mean “result.size:”? To search for the text, put it in quotes.",
        ),
    ],
)
def test_what_is_not_understood_is_said(typed: str, said: str) -> None:
    search = parse_search(typed, NAMES)
    assert search == NO_SEARCH
    assert search.problems == (said,)


def test_field_that_is_not_known_is_no_key() -> None:
    assert parse_search("pages:5").problems
    assert parse_search("report2:final", NAMES) == Search((TextTerm(None, (Text("report2:final"),)),))


def test_word_of_a_field_has_a_prefix_where_another_key_has_its_name() -> None:
    assert [NAMES.word(field.name) for field in FIELDS if NAMES.word(field.name) != field.name] == [
        "result.format",
        "result.size",
    ]


@given(
    st.sampled_from([field.name for field in FIELDS]), st.text(alphabet="0123456789.,-<>=kMByesno \u00e4*", max_size=12)
)
def test_every_value_is_understood_or_said_to_be_wrong(name: str, value: str) -> None:
    search = parse_search(f'result.{name}:"{value}"', NAMES)
    assert len(search.terms) + len(search.problems) <= 1
    for term in search.terms:
        if isinstance(term, NumberTerm):
            assert all(limit is None or abs(limit) < 2**63 for limit in (term.least, term.most))
