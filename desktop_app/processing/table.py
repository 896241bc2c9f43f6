"""Check tables in text files: CSV with any usual delimiter, and JSON Lines.

A row is bad if it has another number of columns than the first one, or is not valid CSV or JSON. Empty lines are no
rows. The options decide whether a file with bad rows fails, which is the default, since whoever checks tables wants to
know which of them are broken.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import Field, Option
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import foreign_text, mark, shortened
from desktop_app.processing.processor import Limits, bad_content, too_large
from desktop_app.processing.text_lines import MOST_CHARS, TextLines

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from desktop_app.domain.fields import Value
    from desktop_app.processing.processor import Watch
    from desktop_app.sources.local import Source

_AUTO, _YES, _NONE = "auto", "yes", "none"
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_DELIMITER_TITLES = (mark("Detect"), mark("Comma"), mark("Semicolon"), mark("Tab"), mark("Vertical bar"))
_TAB_ENDINGS = (".tsv", ".tab")
_JSON_ENDINGS = (".jsonl", ".ndjson", ".jsonlines")
_SAMPLE_ROWS = 100
_MOST_KEYS = 10_000
_MOST_NAMED = 10
_LONGEST_NAME = 60
_FIELD_LIMIT = "field larger than field limit"
_UNCLOSED = "unexpected end of data"


class TableProcessor:
    """Checks tables in text files. Has no state, so all threads can share it."""

    name = "table"
    version = 1
    title = mark("Table check (CSV, TSV, JSON Lines)")
    fields = (
        Field("kind", str, mark("Kind of table")),
        Field("rows", int, mark("Rows")),
        Field("columns", int, mark("Columns")),
        Field("bad_rows", int, mark("Bad rows")),
        Field("first_bad_line", int, mark("First bad line")),
        Field("delimiter", str, mark("Delimiter")),
        Field("header", bool, mark("Header")),
        Field("encoding", str, mark("Encoding")),
    )
    options: tuple[Option, ...] = (
        Option(
            "bad_rows",
            "fail",
            mark("Files with bad rows"),
            choices=("fail", "report"),
            choice_titles=(mark("Fail"), mark("Only report")),
            hint=mark("They fail with the first bad line as the reason, or their bad rows are only counted."),
        ),
        Option("delimiter", _AUTO, mark("Delimiter"), choices=(_AUTO, *_DELIMITERS), choice_titles=_DELIMITER_TITLES),
        Option(
            "quotes",
            _AUTO,
            mark("Quotation marks"),
            choices=(_AUTO, _NONE),
            choice_titles=(mark("Detect"), mark("No quotation marks")),
            hint=mark("Quotation marks are text in TSV files that are not written by spreadsheets."),
        ),
        Option(
            "header",
            _AUTO,
            mark("Header"),
            choices=(_AUTO, _YES, "no"),
            choice_titles=(mark("Detect"), mark("Yes"), mark("No")),
            hint=mark("The first row is taken for a header if its texts are all different and none is a number."),
        ),
        Option("columns", 0, mark("Number of columns"), most=100_000, hint=mark("0 allows any number.")),
        Option(
            "expected_columns",
            "",
            mark("Names of the columns"),
            hint=mark("In their order, separated by commas. Files with other columns fail."),
        ),
    )
    unavailable = ""
    limits: Limits | None = Limits()

    def accepts(self, path: str) -> bool:  # noqa: ARG002 - see `Processor.accepts`
        """Return True: tables have all kinds of names."""
        return True

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:  # noqa: ARG002
        """Check a table; see `Processor.process`."""
        text = TextLines(source)
        blocks = text.blocks()
        sample = next(blocks, [])
        ending = PurePath(source.path).suffix.lower()
        wanted = _expected_names(str(options["expected_columns"]))
        columns = int(options["columns"])
        if columns and wanted and columns != len(wanted):
            raise FileError(
                Reason(ReasonCode.BAD_OPTIONS, {"why": f"{columns} columns can't have {len(wanted)} names"})
            )
        values: dict[str, Value]
        if ending in _JSON_ENDINGS or (ending != ".csv" and ending not in _TAB_ENDINGS and _is_json(sample)):
            lines = chain.from_iterable(chain((sample,), blocks))
            found, known = _check_json_lines(lines, columns, wanted)
            values = {"kind": "jsonl"} if known is None else {"kind": "jsonl", "columns": known}
        else:
            name, has_quotes = str(options["delimiter"]), options["quotes"] != _NONE
            if name == _AUTO:
                name = "tab" if ending in _TAB_ENDINGS else _delimiter_of(sample, has_quotes=has_quotes)
            form = _Format(_DELIMITERS[name], has_quotes)
            found, known, has_header = _check_csv(
                chain((sample,), blocks), form, str(options["header"]), columns, wanted
            )
            values = {"kind": "csv", "columns": known, "delimiter": name, "header": has_header}
        values |= {"rows": found.rows, "bad_rows": found.bad, "encoding": text.encoding}
        if found.bad:
            values["first_bad_line"] = found.first_line
        if found.bad and options["bad_rows"] == "fail":
            others = f" ({found.bad} of {found.rows} rows are bad)" if found.bad > 1 else ""
            raise bad_content(f"line {found.first_line} {found.why}{others}", values)
        return values


@dataclass(slots=True)
class _Found:
    """What was found in a table.

    Attributes:
        rows: The number of rows without the header, also of bad ones.
        bad: The number of bad rows.
        first_line: The number of the first bad line; 0 if there is none.
        why: What is wrong with it, as the rest of a sentence that begins with the line.
        end: The number of the last line of the row before the current one.
    """

    rows: int = 0
    bad: int = 0
    first_line: int = 0
    why: str = ""
    end: int = 0

    def add_bad(self, line: int, why: str) -> None:
        """Add a bad row that begins in a line."""
        self.bad += 1
        if self.bad == 1:
            self.first_line, self.why = line, why


def _expected_names(text: str) -> list[str]:
    """Return the names in the option `expected_columns`, which can be quoted as in a CSV file."""
    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]


def _quoted(names: Iterable[str]) -> str:
    """Return names of columns for a sentence; only some of them if there are many."""
    some = [f"“{shortened(foreign_text(name), _LONGEST_NAME)}”" for name in names]
    return ", ".join([*some[:_MOST_NAMED], "…"] if len(some) > _MOST_NAMED else some)


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


# --- CSV


class _Format(NamedTuple):
    """The format of a CSV file."""

    delimiter: str
    has_quotes: bool

    def reader(self, lines: Iterable[str]) -> Reader:
        """Return a reader of lines.

        In a table with tabs, quotation marks are often text, so text can follow a closing one.
        """
        is_strict = self.delimiter != "\t"
        if self.has_quotes:
            return csv.reader(lines, delimiter=self.delimiter, strict=is_strict)
        return csv.reader(lines, delimiter=self.delimiter, strict=is_strict, quoting=csv.QUOTE_NONE)


class _CsvResult(NamedTuple):
    """What was found in a CSV file, its number of columns, and whether it has a header."""

    found: _Found
    columns: int
    has_header: bool


def _check_csv(
    blocks: Iterable[list[str]], form: _Format, header: str, columns: int, wanted: Sequence[str]
) -> _CsvResult:
    """Check a CSV file.

    Args:
        blocks: Its lines.
        form: Its format.
        header: The option `header`.
        columns: The number of columns; 0 for any.
        wanted: The names of the columns; empty for any.

    Raises:
        FileError: If the columns are not the wanted ones, or a row is too long.
    """
    csv.field_size_limit(MOST_CHARS)
    found = _Found()
    reader = form.reader(chain.from_iterable(_limited(blocks, found)))
    first = _first_row(reader, found)
    has_header = header == _YES or (header == _AUTO and (bool(wanted) or _is_header(first)))
    if has_header:
        _check_names(first, wanted)
        has_header = bool(first)
    width = columns or len(wanted) or len(first)
    good = 0
    rows: Iterator[list[str]] = chain((first,) if first else (), reader)
    while True:
        try:
            for row in rows:
                if len(row) == width:
                    good += 1
                elif row:
                    found.add_bad(found.end + 1, f"has {_columns(len(row))} instead of {width}")
                found.end = reader.line_num
        except csv.Error as error:
            found.add_bad(found.end + 1, _csv_fault(error, found.end + 1))
            found.end = reader.line_num
        else:
            break
    found.rows = good + found.bad - has_header
    return _CsvResult(found, width, has_header)


def _first_row(reader: Reader, found: _Found) -> list[str]:
    """Return the first row that is valid and not empty; an empty one if there is none."""
    while True:
        try:
            for row in reader:
                if row:
                    return row
                found.end = reader.line_num
        except csv.Error as error:
            found.add_bad(found.end + 1, _csv_fault(error, found.end + 1))
            found.end = reader.line_num
        else:
            return []


def _limited(blocks: Iterable[list[str]], found: _Found) -> Iterator[list[str]]:
    """Yield blocks of lines, as long as rows end in them."""
    last, waiting = -1, 0
    for block in blocks:
        waiting = waiting + sum(map(len, block)) if found.end == last else 0
        if waiting > MOST_CHARS:
            raise _row_too_long(found.end + 1)
        last = found.end
        yield block


def _csv_fault(error: csv.Error, line: int) -> str:
    """Return what is wrong with a row, or raise the error for one that is too long.

    Args:
        error: What the parser says.
        line: The line in which the row begins.
    """
    if str(error).startswith(_FIELD_LIMIT):
        raise _row_too_long(line) from error
    return (
        "has a quotation mark that is not closed"
        if str(error) == _UNCLOSED
        else "has text after a closing quotation mark"
    )


def _row_too_long(line: int) -> FileError:
    return too_large(
        f"the row that begins in line {line} has more than {MOST_CHARS >> 20} million characters; perhaps a quotation "
        "mark is not closed"
    )


def _delimiter_of(lines: Sequence[str], *, has_quotes: bool) -> str:
    """Return the name of the delimiter with which most rows have the same number of columns, more than one."""
    best, best_score = "comma", (0.0, 0)
    for name, delimiter in _DELIMITERS.items():
        widths = Counter(islice(_widths(lines, _Format(delimiter, has_quotes)), _SAMPLE_ROWS))
        scores = [(count / widths.total(), width) for width, count in widths.items() if width > 1]
        if scores and max(scores) > best_score:
            best, best_score = name, max(scores)
    return best


def _widths(lines: Iterable[str], form: _Format) -> Iterator[int]:
    """Yield the number of columns of each row; 0 for one that is not valid."""
    reader = form.reader(lines)
    while True:
        try:
            yield from filter(None, map(len, reader))
        except csv.Error:
            yield 0
        else:
            return


def _is_header(row: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in row]
    return 0 < len({*cells}) == len(cells) and all(cell and not cell.lstrip("+-.,")[:1].isdigit() for cell in cells)


def _check_names(row: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise the error for a header that does not have the wanted names, if there are any."""
    names = [name.strip() for name in row]
    if not wanted or names == wanted:
        return
    parts = []
    if missing := [name for name in wanted if name not in names]:
        parts.append(f"missing: {_quoted(missing)}")
    if others := [name for name in names if name not in wanted]:
        parts.append(f"not expected: {_quoted(others)}")
    raise bad_content(f"the columns are not the expected ones ({'; '.join(parts) or 'their order or number differs'})")


# --- JSON Lines


def _is_json(lines: Sequence[str]) -> bool:
    """Return whether a text begins with a JSON object in a line."""
    first = next((line for line in lines if line.strip()), "")
    return first.lstrip().startswith("{") and isinstance(_read_json(first), dict)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not valid JSON")


_decode = json.JSONDecoder(parse_constant=_no_constant).decode


def _read_json(line: str) -> object:
    """Return the value in a line, or a ValueError or RecursionError."""
    try:
        return _decode(line)
    except (ValueError, RecursionError) as error:
        return error


def _check_json_lines(lines: Iterable[str], columns: int, wanted: Sequence[str]) -> tuple[_Found, int | None]:
    """Check a JSON Lines file, in which each row is an object or an array.

    Args:
        lines: Its lines.
        columns: The number of columns; 0 for any.
        wanted: The names of the columns; empty for any.

    Returns:
        What was found, and the number of columns, that is, of different names; None if there are too many to count.
    """
    found = _Found()
    names = set(wanted)
    longest = rows = 0
    for number, line in enumerate(lines, 1):
        if not line or line.isspace():
            continue
        rows += 1
        row = _read_json(line)
        if isinstance(row, dict):
            if wanted and row.keys() != names:
                found.add_bad(number, _other_names(row, wanted))
            elif columns and len(row) != columns:
                found.add_bad(number, f"has {_columns(len(row))} instead of {columns}")
            elif not names.issuperset(row) and len(names) <= _MOST_KEYS:
                names.update(row)
        elif isinstance(row, list):
            longest = max(longest, len(row))
            width = columns or len(wanted)
            if width and len(row) != width:
                found.add_bad(number, f"has {_columns(len(row))} instead of {width}")
        else:
            found.add_bad(number, _json_fault(row))
    found.rows = rows
    return found, None if len(names) > _MOST_KEYS else max(len(names), longest)


def _other_names(row: Mapping[str, object], wanted: Sequence[str]) -> str:
    if missing := [name for name in wanted if name not in row]:
        return f"does not have {_quoted(missing)}"
    return f"has {_quoted(name for name in row if name not in wanted)}, which is not expected"


def _json_fault(value: object) -> str:
    """Return what is wrong with a line that is no row."""
    match value:
        case json.JSONDecodeError():
            return f"is not valid JSON: {value.msg} at character {value.colno}"
        case RecursionError():
            return "is not usable: its JSON is nested too deeply"
        case ValueError():
            return f"is not valid JSON: {shortened(foreign_text(str(value)), _LONGEST_NAME)}"
    return "is neither a JSON object nor an array"
