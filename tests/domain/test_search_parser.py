"""The parsing of what is typed into the filter box."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.domain.job import Status
from desktop_app.domain.search import (
    NO_SEARCH,
    SYNTAX,
    Key,
    NumberTerm,
    Search,
    StatusTerm,
    Text,
    TextTerm,
    TimeTerm,
)
from desktop_app.domain.search_parser import MOST_TERMS, MOST_VALUES, Names, parse_search

NOW = round(datetime(2026, 11, 27, 15, 30).timestamp() * 1000)  # noqa: DTZ001 - local time
HOUR = 3_600_000


def words(*texts: str) -> Search:
    return Search(tuple(TextTerm(None, (Text(text),)) for text in texts))


def moment(text: str) -> int:
    """Return a local time in milliseconds since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("typed", "expected"),
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
        ('"colour:red"', ("colour:red",)),
        ('"*.json"', ("*.json",)),
        ('"-draft"', ("-draft",)),
        ("-", ("-",)),
        ("10-12", ("10-12",)),
        ("C:\\in", ("C:\\in",)),
        ("c:", ("c:",)),
        ("d:/data", ("d:/data",)),
        ("https://example.com/a?b=c", ("https://example.com/a?b=c",)),
        ("file:///data/a", ("file:///data/a",)),
        ("s3://bucket/a", ("s3://bucket/a",)),
        ("12:30", ("12:30",)),
        ("report-12:30:59", ("report-12:30:59",)),
        ("std::map", ("std::map",)),
        (":", (":",)),
        (":)", (":)",)),
    ],
)
def test_plain_words_and_apparent_conditions(typed: str, expected: tuple[str, ...]) -> None:
    search = parse_search(typed)
    assert search == words(*expected)
    assert search.problems == ()


@pytest.mark.parametrize(
    ("typed", "key", "texts"),
    [
        ("*.json", None, [Text("*.json", is_pattern=True)]),
        ("rep?rt", None, [Text("rep?rt", is_pattern=True)]),
        ("name:report", Key.NAME, [Text("report")]),
        ("name:report*", Key.NAME, [Text("report*", is_pattern=True)]),
        ('name:"report*"', Key.NAME, [Text("report*")]),
        ("NAME:x", Key.NAME, [Text("x")]),
        ("folder:in", Key.FOLDER, [Text("in")]),
        ("path:C:\\in", Key.PATH, [Text("C:\\in")]),
        ("type:json", Key.TYPE, [Text("json")]),
        ("type:.json", Key.TYPE, [Text("json")]),
        ("type:*.json", Key.TYPE, [Text("json")]),
        ("ext:tar.gz", Key.TYPE, [Text("tar.gz")]),
        ("type:json,.csv", Key.TYPE, [Text("json"), Text("csv")]),
        ("type:json type:csv", Key.TYPE, [Text("json"), Text("csv")]),
        ("type:js*", Key.TYPE, [Text("js*", is_pattern=True)]),
        ('batch:"3 files from Reports"', Key.BATCH, [Text("3 files from Reports")]),
        ("batch:a batch:b", Key.BATCH, [Text("a"), Text("b")]),
        ("worker:pc-1", Key.WORKER, [Text("pc-1")]),
        ('reason:"no longer"', Key.REASON, [Text("no longer")]),
    ],
)
def test_texts(typed: str, key: Key | None, texts: list[Text]) -> None:
    assert parse_search(typed) == Search((TextTerm(key, tuple(texts)),))


@pytest.mark.parametrize("typed", ["draft", '"a draft"', "*.json", "name:x", "type:json,csv", "size:>1", "added:today"])
def test_minus_negates(typed: str) -> None:
    (term,) = parse_search(typed).terms
    (negated,) = parse_search(f"-{typed}").terms
    assert negated != term
    assert negated.is_negated
    assert replace(term, is_negated=True) == negated


def test_texts_of_a_name_are_all_required_but_negated_types_each() -> None:
    assert len(parse_search("name:a name:b").terms) == 2
    assert len(parse_search("-type:a -type:b").terms) == 2
    assert len(parse_search("-status:failed -status:pending").terms) == 2


@pytest.mark.parametrize(
    ("typed", "statuses"),
    [
        ("status:failed", {Status.FAILED}),
        ("STATUS:Failed", {Status.FAILED}),
        ("status:fai", {Status.FAILED}),
        ('status:"failed"', {Status.FAILED}),
        ("status:proc", {Status.PROCESSING, Status.PROCESSED}),
        ("status:failed status:pending", {Status.FAILED, Status.PENDING}),
        ("status:failed,pending", {Status.FAILED, Status.PENDING}),
        ("status:failed,", {Status.FAILED}),
    ],
)
def test_statuses_can_be_abbreviated(typed: str, statuses: set[Status]) -> None:
    assert parse_search(typed) == Search((StatusTerm(frozenset(statuses)),))


@pytest.mark.parametrize(
    ("typed", "least", "most"),
    [
        ("size:>10", 11, None),
        ("size:>=10", 10, None),
        ("size:<10", None, 9),
        ("size:<=10", None, 10),
        ("size:10", 10, 10),
        ("size:>10MB", 10_000_001, None),
        ('size:">10 MB"', 10_000_001, None),
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
        ("size:1MB..2GB", 1_000_000, 2_000_000_000),
        ("size:1..2GB", 1_000_000_000, 2_000_000_000),
        ("size:1MB..", 1_000_000, None),
        ("size:..1MB", None, 1_000_000),
        # What the list shows as 3.4 MB.
        ("size:3.4MB", 3_350_000, 3_449_999),
        ("size:=3.4MB", 3_400_000, 3_400_000),
        ("size:2kB", 1500, 2499),
        ("lines:0", 0, 0),
        ("lines:>1,000", 1001, None),
        ("lines:>1.000", 1001, None),
        ("lines:1k..2M", 1000, 2_000_000),
        ("attempts:>1", 2, None),
        ("attempts:2..3", 2, 3),
        ("took:>1m", 60_001, None),
        ("took:>=1min", 60_000, None),
        ("took:<500ms", None, 499),
        ("took:>=1h30m", 5_400_000, None),
        ("duration:>1m", 60_001, None),
        # What the list shows as 2 min 10 s.
        ('took:"2 min 10 s"', 130_000, 130_999),
        ("took:10s..2m", 10_000, 120_000),
        ("took:1..2h", HOUR, 2 * HOUR),
        ("took:5", 5000, 5999),
        ("took:0.8s", 800, 899),
    ],
)
def test_numbers(typed: str, least: int | None, most: int | None) -> None:
    search = parse_search(typed)
    (term,) = search.terms
    assert isinstance(term, NumberTerm)
    assert (term.least, term.most) == (least, most)
    assert search.problems == ()


@pytest.mark.parametrize("typed", ["size:>999999999999999TiB", "lines:>999999999999999999g", "took:>999999999999999w"])
def test_number_beyond_the_range_of_the_database_is_bounded(typed: str) -> None:
    (term,) = parse_search(typed).terms
    assert isinstance(term, NumberTerm)
    assert term.least is not None
    assert term.least < 2**63


@pytest.mark.parametrize(
    ("typed", "least", "most"),
    [
        ("added:today", "2026-11-27", "2026-11-28"),
        ("added:tod", "2026-11-27", "2026-11-28"),
        ("added:Yesterday", "2026-11-26", "2026-11-27"),
        ("added:2026-11-20", "2026-11-20", "2026-11-21"),
        ("added:2026/11/20", "2026-11-20", "2026-11-21"),
        ("added:20.11.2026", "2026-11-20", "2026-11-21"),
        ("added:2026-12", "2026-12-01", "2027-01-01"),
        ("added:2026", "2026-01-01", "2027-01-01"),
        ("finished:>2026-11-20", "2026-11-21", None),
        ("finished:>=2026-11-20", "2026-11-20", None),
        ("finished:<2026-11-20", None, "2026-11-20"),
        ("finished:<=2026-11-20", None, "2026-11-21"),
        ("added:2026-11-01..2026-11-20", "2026-11-01", "2026-11-21"),
        ("added:2026-10..2026-11", "2026-10-01", "2026-12-01"),
        ("added:yesterday..today", "2026-11-26", "2026-11-28"),
        ("added:yesterday..", "2026-11-26", None),
        ("added:..yesterday", None, "2026-11-27"),
        ("added:2h", "2026-11-27 13:30", None),
        ("added:<2h", "2026-11-27 13:30", None),
        ('added:"last 2 hours"', "2026-11-27 13:30", None),
        ('added:"2 hours ago"', "2026-11-27 13:30", None),
        ("added:1h30m", "2026-11-27 14:00", None),
        ("added:>2h", None, "2026-11-27 13:30:00.001"),
        ("added:2h..1d", "2026-11-26 15:30", "2026-11-27 13:30:00.001"),
        ("added:..2h", "2026-11-27 13:30", None),
        ("added:14:30", "2026-11-27 14:30", "2026-11-27 14:31"),
        ("added:>=14:30", "2026-11-27 14:30", None),
        ("added:9:00..14:30", "2026-11-27 09:00", "2026-11-27 14:31"),
        ("added:2026-11-20T14:30", "2026-11-20 14:30", "2026-11-20 14:31"),
        ('added:"2026-11-20 14:30"', "2026-11-20 14:30", "2026-11-20 14:31"),
    ],
)
def test_times(typed: str, least: str | None, most: str | None) -> None:
    """The second time is the first one that is not in the range."""
    (term,) = parse_search(typed).terms
    assert isinstance(term, TimeTerm)
    assert (term.least and term.least.at(NOW)) == (least and moment(least))
    assert (term.most and term.most.at(NOW) + 1) == (most and moment(most))


def test_search_for_today_moves_with_time() -> None:
    (term,) = parse_search("added:today").terms
    assert isinstance(term, TimeTerm)
    assert term.least is not None
    tomorrow = datetime.fromtimestamp(NOW / 1000) + timedelta(days=1)  # noqa: DTZ006 - local time
    assert term.least.at(round(tomorrow.timestamp() * 1000)) == moment("2026-11-28")
    for typed, is_relative in {
        "added:today": True,
        "-added:>2h": True,
        "added:2026": False,
        "x size:>1": False,
    }.items():
        assert parse_search(typed).is_relative is is_relative


@pytest.mark.parametrize(
    "typed",
    [
        *("status:", "size:", "size:>", "size:<=", "size:>10ki", "reason:", 'reason:"', "name:", "type:.", "type:*."),
        *("lines:>", "took:>", "took:1h3", "took:>1mi", "size:..", "added:2", "added:202"),
        *("added:27.", "added:27.11", "added:27.11.20", "added:2026-0", "added:2026-11-20T1"),
        *("added:14:", "added:14:3", "added:la", "added:>", "added:yesterday..2", "added:2026-11-2T14:3"),
    ],
)
def test_unfinished_condition_filters_nothing(typed: str) -> None:
    search = parse_search(typed)
    assert search == NO_SEARCH
    assert search.problems == ()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("colour:red", "There is no “colour:”. To search for the text, put it in quotes."),
        ("foo:", "There is no “foo:”. To search for the text, put it in quotes."),
        (
            "siez:>1MB",
            "There is no “siez:”. Did you mean “size:”? To search for the text, put it in quotes.",
        ),
        (f"{'x' * 99}:1", f"There is no “{'x' * 29}…:”. To search for the text, put it in quotes."),
        ("status:sleeping", "“sleeping” is not a status. There are pending, processing, processed and failed."),
        ("size:big", "“big” is not a size. Examples: size:>10MB, size:1MB..2GB"),
        ("size:>10apples", "“>10apples” is not a size. Examples: size:>10MB, size:1MB..2GB"),
        ("size:>MB", "“>MB” is not a size. Examples: size:>10MB, size:1MB..2GB"),
        ("size:1..big", "“1..big” is not a size. Examples: size:>10MB, size:1MB..2GB"),
        ("-lines:many", "“many” is not a number. Examples: lines:0, lines:>1, lines:5..10"),
        ("attempts:1.5", "“1.5” is not a number. Examples: attempts:0, attempts:>1, attempts:5..10"),
        ("took:long", "“long” is not a duration. Examples: took:>1m, took:10s..2m"),
        ("Took:1x", "“1x” is not a duration. Examples: Took:>1m, Took:10s..2m"),
        *(
            (f"added:{value}", f"“{value}” is not a time. Examples: added:today, added:2026-11-27, added:<2h")
            for value in ("noon", "2026-13", "32.1.2026", "1066", "24:00", "2026-11-20Tnoon", "99999", "5x")
        ),
    ],
)
def test_what_is_not_understood_is_said_and_not_searched_for(typed: str, said: str) -> None:
    search = parse_search(f"word {typed}")
    assert search == words("word")
    assert search.problems == (said,)


def test_everything_together() -> None:
    assert parse_search('in size:>1kB reason:"no longer" reason:missing -size:<1MB status:f') == Search(
        (
            TextTerm(None, (Text("in"),)),
            NumberTerm(Key.SIZE, least=1001),
            TextTerm(Key.REASON, (Text("no longer"),)),
            TextTerm(Key.REASON, (Text("missing"),)),
            NumberTerm(Key.SIZE, most=999_999, is_negated=True),
            StatusTerm(frozenset({Status.FAILED})),
        )
    )


def test_repeated_words_and_problems_count_once() -> None:
    assert parse_search("a b a x:1 foo:1 foo:2 a").terms == parse_search("a b x:1").terms
    assert len(parse_search("foo:1 foo:2").problems) == 1


def test_very_many_words_are_cut_and_that_is_said() -> None:
    search = parse_search(" ".join(map(str, range(MOST_TERMS + 1))))
    assert len(search.terms) == MOST_TERMS
    assert search.problems == (f"Only the first {MOST_TERMS} words and conditions are used.",)


def test_very_many_values_are_cut_and_that_is_said() -> None:
    search = parse_search(f"type:{','.join(map(str, range(MOST_VALUES + 1)))}")
    assert search == parse_search(f"type:{','.join(map(str, range(MOST_VALUES)))}")
    assert search.problems == (f"Only the first {MOST_VALUES} values are used.",)


def test_every_key_is_explained_by_a_search_that_is_understood() -> None:
    assert {entry.key for entry in SYNTAX} == {None, *Key}
    for entry in SYNTAX:
        search = parse_search(entry.example)
        assert search.terms
        assert search.problems == ()


GERMAN = Names(
    keys={"größe": "size", "dauer": "took", "beendet": "finished"},
    statuses={"In Arbeit": Status.PROCESSING},
    words={"heute": "today", "std": "h", "stunden": "h", "letzte": "last", "tagen": "d"},
)


@pytest.mark.parametrize(
    ("typed", "english"),
    [
        ("größe:>1MB", "size:>1MB"),
        ("GRÖSSE:>1MB", "size:>1MB"),
        ("size:>1MB", "size:>1MB"),
        ('status:"in arbeit"', "status:processing"),
        ("status:in", "status:processing"),
        ("dauer:>2std", "took:>2h"),
        ("dauer:>2h", "took:>2h"),
        ("beendet:heute", "finished:today"),
        ("beendet:heu", "finished:today"),
        ('beendet:"letzte 2 Stunden"', 'finished:"last 2 hours"'),
        ("finished:today", "finished:today"),
    ],
)
def test_translated_names(typed: str, english: str) -> None:
    search = parse_search(typed, GERMAN)
    assert search == parse_search(english)
    assert search.problems == ()


def test_key_is_suggested_in_the_language() -> None:
    assert "Did you mean “größe:”?" in parse_search("Groesse:>1MB", GERMAN).problems[0]


@given(st.text(alphabet='abc:<>=". 19kMiBstatuszreon\\\u00e4*?-,/T', max_size=40))
def test_every_text_means_something(typed: str) -> None:
    search = parse_search(typed)
    if typed.count('"') % 2 == 0:
        assert parse_search(f" {typed} ") == search


@given(
    st.sampled_from(["size", "lines", "attempts", "took", "added", "finished", "status", "type"]),
    st.text(alphabet="0123456789.,-/:<>=TkKmMgbBshdwiyeatodr \u00e4", max_size=16),
)
def test_every_value_is_understood_or_said_to_be_wrong(key: str, value: str) -> None:
    search = parse_search(f'{key}:"{value}"')
    assert len(search.terms) + len(search.problems) <= 1
    for term in search.terms:
        if isinstance(term, NumberTerm):
            assert all(limit is None or abs(limit) < 2**63 for limit in (term.least, term.most))
        if isinstance(term, TimeTerm):
            assert all(limit is None or abs(limit.at(NOW)) < 2**63 for limit in (term.least, term.most))
