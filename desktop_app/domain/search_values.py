"""The values in the filter box: numbers, sizes, durations and times, with comparisons and ranges."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from desktop_app.domain.search import Anchor, Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


Limit = TypeVar("Limit", int, float, Moment)


class BadValueError(ValueError):
    """A value that is wrong, not only unfinished."""


class Amount(NamedTuple):
    """A number as typed. The pairs are inclusive ranges of integers.

    Attributes:
        exact: The integers equal to the number; the first is the greater one if there is none.
        near: The integers that look like the number when they are shown with the precision that was typed.
        unit: The factor of the unit; 0 if there is none.
    """

    exact: tuple[int, int]
    near: tuple[int, int]
    unit: int = 0


_GREATEST = Decimal(2**62)
"""Larger than any file, and within the range of the database's integers."""

_SIGNS = ("<=", ">=", "<", ">", "=")

_NUMBER = r"\d{1,15}(?:[.,]\d{0,9})?"

_SIGNED = re.compile(rf"-?({_NUMBER})")

_SIZE = re.compile(rf"({_NUMBER})\s*([a-z]{{0,3}})", re.IGNORECASE)

_GROUPED = re.compile(r"(\d{1,3}(?:[.,'\u2019\u00a0\u202f ]\d{3})+|\d{1,18})\s*([kmg]?)", re.IGNORECASE)

_PART = re.compile(rf"\s*({_NUMBER})\s*([^\W\d_]*)")

_SIZE_UNITS = {
    "b": 1,
    **{f"{letter}{tail}": 1000**power for power, letter in enumerate("kmgt", 1) for tail in ("", "b")},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000

_TIME_UNITS = {
    "ms": 1,
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), _SECOND),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), _MINUTE),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "week", "weeks"), 7 * _DAY),
}
"""The lengths of the units of time, in milliseconds."""


def read_count(text: str, _default: int = 0) -> Amount | None:
    """Read a whole number, such as `12`, `1,000` or `10k`."""
    match = _GROUPED.fullmatch(text)
    if match is None:
        raise BadValueError(text)
    factor = 1000 ** " kmg".index(match[2].lower() or " ")
    number = min(int(re.sub(r"\D", "", match[1])) * factor, int(_GREATEST))
    return Amount((number, number), (number, number))


def read_integer(text: str, default: int = 0) -> Amount | None:
    """Read a whole number as `read_count` does; it can be negative."""
    amount = read_count(text.removeprefix("-"), default)
    if amount is None or not text.startswith("-"):
        return amount
    return Amount((-amount.exact[1], -amount.exact[0]), (-amount.near[1], -amount.near[0]))


def read_size(text: str, default: int = 0) -> Amount | None:
    """Read a size, such as `10MB`; return None if it is not finished.

    Args:
        text: The size.
        default: The unit to use if there is none; 0 for bytes.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise BadValueError(text)
    name = match[2].lower()
    if name and name not in _SIZE_UNITS:
        _check_started(name, _SIZE_UNITS)
        return None
    unit = _SIZE_UNITS[name] if name else default
    number, step = _decimal(match[1])
    size, half = number * (unit or 1), step * (unit or 1) / 2
    exact = _between(size, size)
    if unit in {0, 1}:
        return Amount(exact, exact, unit)
    return Amount(exact, (_between(size - half, size)[0], -_between(-size - half, size)[0] - 1), unit)


def read_duration(text: str, default: int = 0) -> Amount | None:
    """Read a duration, such as `90s`, `2 minutes` or `1h30m`; return None if it is not finished.

    Args:
        text: The duration.
        default: The unit to use if there is none; 0 for seconds.
    """
    total, at, unit, step = Decimal(0), 0, default, Decimal(0)
    while at < len(text):
        match = _PART.match(text, at)
        if match is None or (at and not match[2]):
            if at and text[at:].strip().isdigit():
                return None  # the unit is still missing
            raise BadValueError(text)
        name = match[2].casefold()
        if name and name not in _TIME_UNITS:
            _check_started(name, _TIME_UNITS)
            return None
        unit = _TIME_UNITS[name] if name else default
        number, digit = _decimal(match[1])
        total += number * (unit or _SECOND)
        step = digit * (unit or _SECOND)
        at = match.end()
    if not step:
        raise BadValueError(text)
    total = min(total, _GREATEST)
    exact = _between(total, total)
    return Amount(exact, (exact[0], max(exact[1], -_between(-total - step, total)[0] - 1)), unit)


def _check_started(name: str, units: Iterable[str]) -> None:
    """Raise an error unless a name is the start of a unit."""
    if not any(unit.startswith(name) for unit in units):
        raise BadValueError(name)


def _decimal(text: str) -> tuple[Decimal, Decimal]:
    """Return a number and the value of a 1 in its last digit."""
    whole, _, places = text.replace(",", ".").partition(".")
    return Decimal(f"{whole}.{places or 0}"), Decimal(1).scaleb(-len(places))


def _between(least: Decimal, most: Decimal) -> tuple[int, int]:
    """Return the smallest and the largest integer in a range."""
    low, high = (min(max(value, -_GREATEST), _GREATEST) for value in (least, most))
    return int(low.to_integral_value(ROUND_CEILING)), int(high.to_integral_value(ROUND_FLOOR))


def read_numbers(text: str, read: Callable[[str, int], Amount | None]) -> tuple[int | None, int | None] | None:
    """Read a number, a comparison or a range.

    Args:
        text: The value, such as `5`, `>5` or `5..10`.
        read: The function that reads one number, given a default unit.

    Returns:
        The inclusive limits; None if the value is not finished.

    Raises:
        BadValueError: If the value is wrong.
    """
    sign, low, high = _split(text)
    if not (low or high):
        return None
    if high is not None:
        most = read(high, 0) if high else None
        least = read(low, most.unit if most else 0) if low else None
        if (low and least is None) or (high and most is None):
            return None
        return least and least.exact[0], most and most.exact[1]
    amount = read(low.removesuffix("."), 0)
    if amount is None:
        return None
    first, last = amount.exact
    return _compared(sign, (first - 1, first), (last, last + 1)) if sign else amount.near


def read_fractions(text: str) -> tuple[float | None, float | None] | None:
    """Read a number with decimals, a comparison or a range.

    Args:
        text: The value, such as `0.5`, `>-5` or `0.5..10`.

    Returns:
        The inclusive limits; None if the value is not finished.

    Raises:
        BadValueError: If the value is wrong.
    """
    sign, low, high = _split(text)
    if not (low or high) or low == "-":
        return None
    if high is not None:
        return _fraction(low)[0] if low else None, _fraction(high)[0] if high else None
    number, half = _fraction(low.removesuffix("."))
    if not sign:  # what looks like the number when it is shown with the precision that was typed
        return number - half, math.nextafter(number + half, -math.inf)
    before, after = math.nextafter(number, -math.inf), math.nextafter(number, math.inf)
    return _compared(sign, (before, number), (number, after))


def _fraction(text: str) -> tuple[float, float]:
    """Return a number, and half the value of a 1 in its last digit."""
    match = _SIGNED.fullmatch(text)
    if match is None:
        raise BadValueError(text)
    number, step = _decimal(match[1])
    return float(-number if text.startswith("-") else number), float(step / 2)


def _split(text: str) -> tuple[str, str, str | None]:
    """Return the sign and the value, and None; or an empty sign and the two ends of a range, which may be empty."""
    text = text.strip()
    sign = next(filter(text.startswith, _SIGNS), "")
    low, dots, high = text.partition("..")
    if dots and not sign:
        return "", low.strip(), high.strip()
    return sign, text.removeprefix(sign).strip(), None


def _compared(sign: str, first: tuple[Limit, Limit], last: tuple[Limit, Limit]) -> tuple[Limit | None, Limit | None]:
    """Return the limits of the values that compare like this to a range of equal ones.

    Args:
        sign: The sign of the comparison; empty or `=` for the range itself.
        first: The last value before the range, and its first value.
        last: The last value of the range, and the first one after it.
    """
    compared: dict[str, tuple[Limit | None, Limit | None]] = {
        "<": (None, first[0]),
        "<=": (None, last[0]),
        ">": (last[1], None),
        ">=": (first[1], None),
    }
    return compared.get(sign, (first[1], last[0]))


# --- times


def in_english(text: str, words: Mapping[str, str]) -> str:
    """Replace the words of a text by English ones, in lower case.

    Args:
        text: The text.
        words: The English word for each translated word, in lower case.
    """
    return _WORD.sub(lambda match: words.get(match[0].casefold(), match[0].casefold()), text)


class _Span(NamedTuple):
    """A period of time.

    Attributes:
        first, last: Its first and its last millisecond.
        is_ago: Whether it is a moment in the past that was given by its distance from now.
    """

    first: Moment
    last: Moment
    is_ago: bool = False


_FIRST_YEAR, _LAST_YEAR = 1971, 2999
"""The years with which all systems can calculate."""

_DATE = re.compile(r"(\d{4})(?:[-/](\d{0,2})(?:[-/](\d{0,2}))?)?")

_GERMAN_DATE = re.compile(r"(\d{1,2})\.(?:(\d{1,2})(?:\.(\d{0,4}))?)?")

_CLOCK = re.compile(r"(\d{1,2}):(\d{0,2})")

_WORD = re.compile(r"[^\W\d_]+")

Limits = tuple[Moment | None, Moment | None]


def read_times(text: str, words: Mapping[str, str]) -> Limits | None:
    """Read a time, a comparison or a range.

    Args:
        text: The value, such as `today`, `>2026-11-27`, `<2h` or `2026-11..2026-12-24`.
        words: The English words for words of the user's language.

    Returns:
        The inclusive limits; None if the value is not finished.

    Raises:
        BadValueError: If the value is wrong.
    """
    sign, low, high = _split(text)
    if not (low or high):
        return None
    if high is not None:
        return _range_of_times(low, high, words)
    span = _read_time(low.removesuffix(".") if not low.rstrip(".").isdigit() else low, words)
    if span is None:
        return None
    if span.is_ago:
        # Like an age: less than two hours means in the last two hours.
        return (None, span.first) if sign in {">", ">="} else (span.first, None)
    return _compared(sign, (_moved(span.first, -1), span.first), (span.last, _moved(span.last, 1)))


def _range_of_times(low: str, high: str, words: Mapping[str, str]) -> Limits | None:
    first = _read_time(low, words) if low else None
    last = _read_time(high, words) if high else None
    if (low and first is None) or (high and last is None):
        return None
    if all(span is None or span.is_ago for span in (first, last)):
        first, last = last, first  # ages grow towards the past
    return first and first.first, last and last.last


def _moved(moment: Moment, ms: int) -> Moment:
    return Moment(moment.anchor, moment.ms + ms, moment.days)


def _read_time(text: str, words: Mapping[str, str]) -> _Span | None:
    """Read one time; return None if it is not finished."""
    day, _, clock = text.replace("T", " ").partition(" ")
    if _DATE.fullmatch(day) or _GERMAN_DATE.fullmatch(day):
        dated = _read_date(day)
        return _at_clock(dated, clock.strip()) if clock.strip() else dated
    if _CLOCK.fullmatch(text):
        return _at_clock(_Span(Moment(Anchor.TODAY), Moment(Anchor.TODAY, -1, 1)), text)
    if text.isdigit() and len(text) < len("2026"):
        return None
    plain = in_english(text, words)
    for word, days in (("today", 0), ("yesterday", -1)):
        names = [name for name, meaning in words.items() if meaning == word]
        if any(name.startswith(plain) for name in (word, *names)):
            return _Span(Moment(Anchor.TODAY, 0, days), Moment(Anchor.TODAY, -1, days + 1))
    if "last".startswith(plain):
        return None
    amount = read_duration(plain.removeprefix("last ").removesuffix(" ago"))
    if amount is None:
        return None
    if not amount.unit:
        raise BadValueError(text)
    before = Moment(Anchor.NOW, -min(amount.exact[1], _LAST_YEAR * 366 * _DAY))
    return _Span(before, before, is_ago=True)


def _read_date(text: str) -> _Span | None:
    match = _DATE.fullmatch(text)
    if match is not None:
        year, month, day = match[1], match[2], match[3]
    else:
        match = _GERMAN_DATE.fullmatch(text)
        if match is None or len(match[3] or "") < len("2026"):
            return None
        day, month, year = match[1], match[2], match[3]
    if "0" in {month, day}:
        return None
    if not _FIRST_YEAR <= int(year) <= _LAST_YEAR:
        raise BadValueError(text)
    try:
        first = date(int(year), int(month or 1), int(day or 1))
    except ValueError as error:
        raise BadValueError(text) from error
    if day:
        end = first + timedelta(days=1)
    elif month:
        end = (first + timedelta(days=31)).replace(day=1)
    else:
        end = first.replace(year=first.year + 1)
    return _Span(_midnight(first), _moved(_midnight(end), -1))


def _midnight(day: date) -> Moment:
    return Moment(Anchor.EPOCH, round(datetime(day.year, day.month, day.day).timestamp() * 1000))  # noqa: DTZ001 - local


def _at_clock(day: _Span | None, text: str) -> _Span | None:
    """Return a minute of a day; None if the time is not finished."""
    match = _CLOCK.fullmatch(text)
    if match is None or len(match[2]) < len("00"):
        if text.isdigit() or match is not None:
            return None
        raise BadValueError(text)
    hour, minute = int(match[1]), int(match[2])
    if hour > 23 or minute > 59:  # noqa: PLR2004 - of a clock
        raise BadValueError(text)
    if day is None:
        return None
    first = _moved(day.first, hour * _HOUR + minute * _MINUTE)
    return _Span(first, _moved(first, _MINUTE - 1))
