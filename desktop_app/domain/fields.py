"""The fields of results, and the options of processors."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from desktop_app.domain.errors import KnownError
from desktop_app.domain.sentences import Sentence, display_text, shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

Value = int | float | str | bool
"""The types of the values of fields and options."""
VALUE_KINDS: Mapping[str, type[Value]] = MappingProxyType({kind.__name__: kind for kind in (int, float, str, bool)})
"""These types by their names, which are stored."""

DEFAULT_PROCESSOR = "lines"
"""The name of the processor of jobs for which none was chosen."""
PROCESSOR_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}(:[a-z0-9][a-z0-9_-]{0,39})?")
"""The names of processors; those of commands are `command:` and the name of the preset."""
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESULT_PREFIX = "result."
"""The prefix of the names of fields where these stand among other names, such as sort keys."""
TYPED_FIELDS = frozenset({"file_size", "lines_count"})
"""The fields that are stored in columns of their own and are not in the result."""
MOST_RESULT_BYTES = 16 * 1024
"""The maximum size of a stored result."""
MOST_LINES = 2**53 - 1
"""The greatest number of lines that is stored; the database would keep one of more than 63 bits as a fraction."""
_MOST_OPTIONS_BYTES = 16 * 1024
_GREATEST = 2**63 - 1
_LONGEST_TITLE = 60
_NO_VALUES: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a result.

    Attributes:
        name: The name, as in `FIELD_NAME`, which must not change, since it is stored.
        kind: The type of the values.
        title: The title for the user, in English.
        unit: A unit such as `bytes`; empty if there is none.
    """

    name: str
    kind: type[Value]
    title: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ResultField:
    """A field of the results on the list. Fields of several processors with the same name are one.

    Attributes:
        name: The name, as in `FIELD_NAME`.
        kind: The type of the values; `str` if the processors do not agree.
        title: The title for the user, in English, from the first processor that has one.
        units: The names of the processors that have the field, each with its unit, which can be empty.
        is_fast: Whether there is an index for sorting and filtering by it.
    """

    name: str
    kind: type[Value]
    title: str
    units: tuple[tuple[str, str], ...]
    is_fast: bool = False

    @property
    def key(self) -> str:
        """The key to sort by (`SortTerm.key`), which is also the name in exports and saved layouts."""
        return f"{RESULT_PREFIX}{self.name}"

    @property
    def is_number(self) -> bool:
        """Whether the values can be added up."""
        return self.kind in {int, float}

    @property
    def is_size(self) -> bool:
        """Whether all values are numbers of bytes."""
        return self.is_number and all(unit == "bytes" for _, unit in self.units)


def result_fields(declared: Iterable[tuple[str, Field]], fast: Collection[str] = ()) -> tuple[ResultField, ...]:
    """Return the fields of results, without those that are stored in columns of their own.

    Args:
        declared: Fields, each with the name of its processor. Invalid names, from other programs, are left out.
        fast: The names of the fields that have an index.
    """
    found: dict[str, list[tuple[str, Field]]] = {}
    for processor, field in declared:
        if FIELD_NAME.fullmatch(field.name) and field.name not in TYPED_FIELDS:
            found.setdefault(field.name, []).append((processor, field))
    return tuple(
        ResultField(
            name,
            _common_kind({field.kind for _, field in same}),
            next((_title(field.title) for _, field in same if field.title), name.replace("_", " ").capitalize()),
            tuple((processor, field.unit) for processor, field in same),
            name in fast,
        )
        for name, same in found.items()
    )


def _common_kind(kinds: set[type[Value]]) -> type[Value]:
    if len(kinds) == 1:
        return next(iter(kinds))
    return float if kinds == {int, float} else str


def _title(text: str) -> str:
    """Return the title of a field that may be foreign in a form that can be shown."""
    return shortened(display_text(text), _LONGEST_TITLE)


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a processor.

    Attributes:
        name: The name, as in `FIELD_NAME`, which must not change, since it is stored.
        default: The default value, which also determines the type.
        title: The title for the user, in English.
        choices: The texts that are allowed; empty to allow any text.
        least, most: The limits of a number.
        hint: One or two sentences about the option, in English; may be empty.
        is_long: Whether a text can have several lines.
        choice_titles: The titles of the choices for the user, in English; empty to show the choices themselves.
    """

    name: str
    default: Value
    title: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 2**31 - 1
    hint: str = ""
    is_long: bool = False
    choice_titles: tuple[str, ...] = ()


class Choice(NamedTuple):
    """What to do with files.

    Attributes:
        processor: The name of the processor; empty to choose one for each file by its type.
        options: Its options as they are stored; see `stored_options`.
    """

    processor: str = ""
    options: str = ""


BY_TYPE = Choice()


class OptionError(KnownError):
    """An option of a processor does not exist, or has a value that is not allowed."""


def parsed_option(option: Option, text: str) -> Value:
    """Return the value of an option from what was typed.

    Raises:
        OptionError: If the text is not a value of the option.
    """
    value: Value = text
    if isinstance(option.default, bool):
        value = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower(), text)
    elif isinstance(option.default, int) and re.fullmatch(r"-?[0-9]{1,18}", text):
        value = int(text)
    elif isinstance(option.default, float) and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text):
        value = float(text)
    return _checked(option, value)


def _checked(option: Option, value: object) -> Value:
    """Return a value if an option can have it."""
    kind = type(option.default)
    if type(value) is not kind:  # unlike isinstance, does not accept a bool as an int
        kinds = {bool: Sentence("true or false"), int: Sentence("a whole number"), float: Sentence("a number")}
        wanted = kinds.get(kind, Sentence("a text"))
        raise OptionError(Sentence("The option “{name}” must be {kind}.", name=option.name, kind=wanted))
    if isinstance(value, str) and option.choices and value not in option.choices:
        raise OptionError(
            Sentence(
                "The option “{name}” must be one of: {choices}.", name=option.name, choices=", ".join(option.choices)
            )
        )
    if isinstance(value, int | float) and not isinstance(value, bool) and not option.least <= value <= option.most:
        raise OptionError(
            Sentence(
                "The option “{name}” must be from {least} to {most}.",
                name=option.name,
                least=option.least,
                most=option.most,
            )
        )
    if not isinstance(value, bool | int | float | str):
        raise TypeError(f"{option.name} is of type {kind.__name__}")
    return value


def typed_options(options: Iterable[Option], typed: Iterable[str]) -> dict[str, Value]:
    """Return the values of the options that were typed as `KEY=VALUE`.

    Raises:
        OptionError: If a text is not of this form, or an option does not exist or can't have the value.
    """
    known = {option.name: option for option in options}
    values = {}
    for text in typed:
        name, sign, value = text.partition("=")
        if not sign:
            raise OptionError(Sentence("“{text}” is not of the form KEY=VALUE.", text=text))
        _require_known(known, name)
        values[name] = parsed_option(known[name], value)
    return values


def _require_known(known: Mapping[str, Option], name: str) -> None:
    if name in known:
        return
    if not known:
        raise OptionError(Sentence("There is no option “{name}”: this processor has no options.", name=name))
    raise OptionError(
        Sentence("There is no option “{name}”. The options are: {options}.", name=name, options=", ".join(known))
    )


def checked_options(options: Iterable[Option], given: Mapping[str, object]) -> dict[str, Value]:
    """Return the values of all options: the given ones, and the defaults of the others.

    Raises:
        OptionError: If a given option does not exist, or has a value that is not allowed.
    """
    known = {option.name: option for option in options}
    for name in given:
        _require_known(known, name)
    return {name: _checked(option, given[name]) if name in given else option.default for name, option in known.items()}


def stored_options(values: Mapping[str, Value]) -> str:
    """Return options in the form in which they are stored: empty, or a JSON object.

    Raises:
        OptionError: If they are too large.
    """
    if not values:
        return ""
    text = json.dumps(dict(values), ensure_ascii=True, sort_keys=True)
    if len(text) > _MOST_OPTIONS_BYTES:
        raise OptionError(Sentence("The options are too large: at most {most} characters.", most=_MOST_OPTIONS_BYTES))
    return text


def read_options(text: str) -> dict[str, object]:
    """Return stored options, whose names and types are not checked yet; see `checked_options`.

    Raises:
        OptionError: If another program has written something else.
    """
    try:
        values = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise OptionError(Sentence("The options of this file are not valid. Choose Retry As… to set them again."))
    return values


class BadResultError(Exception):
    """A result can't be stored. The text says why."""


def stored_result(values: Mapping[str, Value]) -> str | None:
    """Return a result in the form in which it is stored: a JSON object, or None if it is empty.

    Raises:
        BadResultError: If a name or a value is not allowed, or the result is too large.
    """
    if not values:
        return None
    for name, value in values.items():
        if not FIELD_NAME.fullmatch(name):
            raise BadResultError(f"“{display_text(name[:60])}” is not the name of a field")
        if isinstance(value, str):
            if display_text(value) != value:
                raise BadResultError(f"the field “{name}” contains control characters")
        elif not isinstance(value, bool) and not abs(value) <= _GREATEST:  # NaN is not in the range either
            raise BadResultError(f"the number in the field “{name}” is not in the range that can be stored")
    text = json.dumps(dict(values), ensure_ascii=False, separators=(",", ":"))
    if (size := len(text.encode())) > MOST_RESULT_BYTES:
        raise BadResultError(f"it has {size} bytes; at most {MOST_RESULT_BYTES} are stored")
    return text


def stored_lines(value: Value) -> int:
    """Return a number of lines, which is stored in a column of its own.

    Raises:
        BadResultError: If it is something else, or is not in the range that can be stored.
    """
    if type(value) is not int:  # unlike isinstance, does not accept a bool
        raise BadResultError("the field “lines_count” is not a whole number")
    if not 0 <= value <= MOST_LINES:
        raise BadResultError("the number in the field “lines_count” is not in the range that can be stored")
    return value


@lru_cache(maxsize=2048)
def read_result(text: str | None) -> Mapping[str, Value]:
    """Return a stored result. What another program has written and is not a result is left out."""
    if not text:
        return _NO_VALUES
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return _NO_VALUES
    if not isinstance(values, dict):
        return _NO_VALUES
    return MappingProxyType(
        {
            name: display_text(value) if isinstance(value, str) else value
            for name, value in values.items()
            if FIELD_NAME.fullmatch(name) and _is_value(value)
        }
    )


def _is_value(value: object) -> bool:
    """Return whether what was stored is a value that can be shown."""
    return isinstance(value, str) or (isinstance(value, int | float) and abs(value) <= _GREATEST)
