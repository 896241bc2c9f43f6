"""Jobs: their statuses, counts, and texts that are safe to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.domain.job import Status, StatusCounts, iso_utc
from desktop_app.domain.sentences import display_text
from tests.helpers import NEW_JOB

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
"""A word that needs its zero-width non-joiner."""


def test_statuses_have_the_stored_numbers() -> None:
    assert {status.name: status.value for status in Status} == {
        "PENDING": 0,
        "PROCESSING": 1,
        "PROCESSED": 2,
        "FAILED": 3,
    }
    assert [status for status in Status if status.is_final] == [Status.PROCESSED, Status.FAILED]


def test_counts_add_up() -> None:
    counts = StatusCounts(pending=1, processing=2, processed=4, failed=8)
    assert (counts.total, counts.unfinished) == (15, 3)
    assert [counts.of(status) for status in Status] == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/a.txt", "a.txt"),
        ("/data/line\nbreak", "line\\nbreak"),
        ("/data/caf\udce9", "caf\\xe9"),
        ("/", "/"),
        ("/data/", "/data/"),
        ("s3://bucket/key", "key"),
    ],
)
def test_name_is_the_last_part_of_the_path_safe_to_show(path: str, name: str) -> None:
    assert replace(NEW_JOB, file_path=path).name == name


@pytest.mark.parametrize(
    ("started", "finished", "took"),
    [(None, None, None), (5, None, None), (None, 9, None), (5, 9, 4), (9, 5, 0)],
)
def test_finished_work_has_a_duration(started: int | None, finished: int | None, took: int | None) -> None:
    assert replace(NEW_JOB, started_at=started, finished_at=finished).took_ms == took


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name (1).txt", "plain name (1).txt"),
        ("", ""),
        ("two\nlines", "two\\nlines"),
        ("tab\tcr\rnul\0bell\x07", "tab\\tcr\\rnul\\x00bell\\x07"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("del\x7f", "del\\x7f"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\u2066isolated\u2069", "\\u2066isolated\\u2069"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("line\u2028and\u2029paragraph", "line\\u2028and\\u2029paragraph"),
        ("caf\udce9 \udcff", "caf\\xe9 \\xff"),
        ("\ud800\udfff", "\\ud800\\udfff"),
        ("\U000e0041", "\\U000e0041"),
        ("<b>bold</b> & \"quoted\" 'too'", "<b>bold</b> & \"quoted\" 'too'"),
        ("100% {braces} back\\slash", "100% {braces} back\\slash"),
        ("Ärger, naïve, 日本語, العربية, עברית", "Ärger, naïve, 日本語, العربية, עברית"),
        ("👩\u200d🚀 and ❤\ufe0f", "👩\u200d🚀 and ❤\ufe0f"),
        (PERSIAN, PERSIAN),
        ("e\u0301", "e\u0301"),
    ],
)
def test_text_is_safe_to_show_and_otherwise_itself(text: str, shown: str) -> None:
    assert display_text(text) == shown


@given(st.text())
def test_shown_text_is_one_printable_line(text: str) -> None:
    shown = display_text(text)
    assert shown.splitlines() in ([shown], [])
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)
    assert display_text(shown) == shown


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00.000Z"),
        (1_769_850_307_123, "2026-01-31T09:05:07.123Z"),
        (1_769_850_307_000, "2026-01-31T09:05:07.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_instant_is_iso_8601_in_utc(milliseconds: int | None, text: str | None) -> None:
    assert iso_utc(milliseconds) == text


@given(st.integers(0, 253_402_300_799_999))
def test_instant_keeps_every_millisecond(milliseconds: int) -> None:
    text = iso_utc(milliseconds)
    assert text is not None
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo == UTC
    assert round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000) == milliseconds
