"""Checks of CSV and JSON Lines files."""

from __future__ import annotations

import csv
import io
import json
import sys
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import FileProblem, ReasonCode
from desktop_app.processing.isolation import HelperProcess
from desktop_app.processing.processor import Limits
from desktop_app.processing.registry import ProcessorRegistry
from desktop_app.processing.table import TableProcessor
from desktop_app.processing.text_lines import MOST_CHARS, TextLines
from desktop_app.sources.local import SmallSource
from tests.helpers.fakes import RecordingWatch
from tests.helpers.memory import measured_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from desktop_app.domain.fields import Value

MIB = 1 << 20


def process(path: Path, **options: Value) -> Mapping[str, Value]:
    registry = ProcessorRegistry([TableProcessor()])
    return registry.process(str(path), RecordingWatch(), processor="table", options=json.dumps(options)).values


def check(content: bytes | str, name: str = "a.csv", **options: Value) -> Mapping[str, Value]:
    """Check a table that is not in a file."""
    content = content.encode() if isinstance(content, str) else content
    registry = ProcessorRegistry([TableProcessor()], opener=lambda path: SmallSource(content, path))
    return registry.process(name, RecordingWatch(), processor="table", options=json.dumps(options)).values


def failure(content: bytes | str, name: str = "a.csv", **options: Value) -> FileError:
    with pytest.raises(FileError) as caught:
        check(content, name, **options)
    return caught.value


# --- CSV


def test_csv_file_has_its_rows_and_columns() -> None:
    assert check("id,name,price\n1,one,1.5\n2,two,2.5\n") == {
        "kind": "csv",
        "rows": 2,
        "columns": 3,
        "bad_rows": 0,
        "delimiter": "comma",
        "header": True,
        "encoding": "utf-8",
    }


@pytest.mark.parametrize(
    ("content", "rows", "columns"),
    [
        ("", 0, 0),
        ("\n\n", 0, 0),
        ("a", 0, 1),
        ("1", 1, 1),
        ("a,b\n", 0, 2),
        ("a,b\r\n1,2\r\n", 1, 2),
        ("a,b\r1,2\r3,4", 2, 2),
        ("a,b\r\n1,2\n3,4\r5,6", 3, 2),
        ('a,b\n"x\ny",2\n"x,\r\n\r\n,y",2', 2, 2),
        ('a,b\n"say ""yes""",2\n', 1, 2),
        ("a,b\n\n1,2\n\n\n3,4\n\n", 2, 2),
        ('a,b\n5" pipe,2\n', 1, 2),
        ("a,b\n,\n", 1, 2),
        ("a\u2028x,b\n1\x0b\x0c\x1c\x85,2\n", 1, 2),
    ],
)
def test_rows_and_columns_are_counted(content: str, rows: int, columns: int) -> None:
    values = check(content)
    assert (values["rows"], values["columns"], values["bad_rows"]) == (rows, columns, 0)


@pytest.mark.parametrize(
    ("content", "name", "delimiter"),
    [
        ("a,b\n1,2\n", "a.csv", "comma"),
        ("a;b\n1,5;2,5\n", "a.csv", "semicolon"),
        ('"a, b";"c"\n"1";"2, 3, 4"\n', "a.csv", "semicolon"),
        ("a\tb\n1,5\t2\n", "a.csv", "tab"),
        ("a|b|c\n1|2|3\n", "a.txt", "pipe"),
        ("a\n1\n", "a.csv", "comma"),
        ("a,b,c\tx\n1,2,3\ty\n", "a.tsv", "tab"),
        ("a,b;c\n1;2\n3;4\n5;6\n", "a.csv", "semicolon"),
    ],
)
def test_delimiter_is_recognized(content: str, name: str, delimiter: str) -> None:
    assert check(content, name, bad_rows="report")["delimiter"] == delimiter


@pytest.mark.parametrize(("delimiter", "columns"), [("comma", 2), ("semicolon", 3), ("tab", 1), ("pipe", 1)])
def test_chosen_delimiter_is_used(delimiter: str, columns: int) -> None:
    assert check("a,b;c;d\n", delimiter=delimiter)["columns"] == columns


@pytest.mark.parametrize(
    ("first", "header"),
    [
        ("id,name", True),
        ("id, name ", True),
        ("1,name", False),
        ("-1.5,name", False),
        ("2026-11-28,name", False),
        ("name,name", False),
        ("name,", False),
        (".5,a", False),
        ("a-1,b2", True),
    ],
)
def test_header_is_recognized(first: str, header: bool) -> None:
    values = check(f"{first}\n1,2\n")
    assert (values["header"], values["rows"]) == (header, 1 if header else 2)


def test_header_can_be_chosen() -> None:
    assert check("1,2\n3,4\n", header="yes")["rows"] == 1
    assert check("a,b\n3,4\n", header="no")["rows"] == 2


@pytest.mark.parametrize(
    ("content", "bad", "line", "why"),
    [
        ("a,b\n1\n", 1, 2, "has 1 column instead of 2"),
        ("a,b\n1,2\n\n1,2,3\n", 1, 4, "has 3 columns instead of 2"),
        ("a,b\n1\n2\n3,4\n", 2, 2, "has 1 column instead of 2 (2 of 3 rows are bad)"),
        ('a,b\n"x\n\ny",2\n"1\n2\n3"\n', 1, 5, "has 1 column instead of 2"),
        ('a,b\n1,2\n"3,4\n5,6\n', 1, 3, "has a quotation mark that is not closed"),
        ('a,b\n1,2\n3,"', 1, 3, "has a quotation mark that is not closed"),
        ('a,b\n"x"y,2\n3,4\n', 1, 2, "has text after a closing quotation mark"),
        ('a,b\n1,2\n"3,4\n5,6\n7,"8"\n9,10\n', 1, 3, "has text after a closing quotation mark"),
        ('"a"x\n1,2\n3\n', 2, 1, "has text after a closing quotation mark (2 of 3 rows are bad)"),
        ("a,b\n \n", 1, 2, "has 1 column instead of 2"),
        ("a,b\r1,2\r3\r", 1, 3, "has 1 column instead of 2"),
        ("\n\na,b\n1\n", 1, 4, "has 1 column instead of 2"),
    ],
)
def test_bad_row_is_found(content: str, bad: int, line: int, why: str) -> None:
    values = check(content, delimiter="comma", bad_rows="report")
    assert (values["bad_rows"], values["first_bad_line"]) == (bad, line)
    error = failure(content, delimiter="comma")
    assert error.values == values
    assert error.reason.code.problem is FileProblem.BAD_CONTENT
    assert error.text == f"The content is not valid: line {line} {why}"


def test_quotation_marks_in_tables_with_tabs_can_be_text() -> None:
    assert check('a\tb\n"x" y\tz\n', "a.tsv")["bad_rows"] == 0
    assert "line 2 has 1 column" in failure('a\tb\n"x\ty\n1\t2\n', "a.tsv").text
    assert check('a\tb\n"x\ty\n1\t2\n', "a.tsv", quotes="none")["rows"] == 2
    assert check('a,b\n"x,y\n', quotes="none")["delimiter"] == "comma"


def test_number_of_columns_is_checked() -> None:
    assert check("a,b\n1,2\n", columns=2)["bad_rows"] == 0
    values = check("a,b\n1,2\n1,2,3\n", columns=3, bad_rows="report")
    assert (values["columns"], values["rows"], values["bad_rows"], values["first_bad_line"]) == (3, 2, 2, 1)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("a", "(not expected: “b”)"),
        ("a,b,c", "(missing: “c”)"),
        ("a,x", "(missing: “x”; not expected: “b”)"),
        ("b,a", "(their order or number differs)"),
        ("a,b,a", "(their order or number differs)"),
        (",".join("cdefghijklmnop"), "(missing: “c”, “d”, “e”, “f”, “g”, “h”, “i”, “j”, “k”, “l”, …; not"),
    ],
)
def test_other_columns_than_the_expected_ones_fail(wanted: str, why: str) -> None:
    for mode in ("fail", "report"):
        error = failure("a,b\n1,2\n", expected_columns=wanted, bad_rows=mode)
        assert error.reason.code is ReasonCode.BAD_CONTENT
        assert why in error.text


def test_expected_columns_are_found() -> None:
    assert check(' a ,"b, c"\n1,2\n', expected_columns='a, "b, c"')["header"] is True
    assert check("1,2\n", expected_columns="1,2")["rows"] == 0
    assert check("1,2\n", expected_columns="a,b", header="no")["rows"] == 1
    assert "has 2 columns instead of 3" in failure("1,2\n", expected_columns="a,b,c", header="no").text


def test_empty_file_does_not_have_the_expected_columns() -> None:
    assert "missing" in failure("", expected_columns="a").text


def test_options_that_contradict_each_other_are_refused() -> None:
    assert failure("a", expected_columns="a,b", columns=3).reason.code is ReasonCode.BAD_OPTIONS


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=2, max_size=2)
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(list({"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}.items())),
)
def test_every_file_that_python_writes_is_valid(rows: list[list[str]], end: str, delimiter: tuple[str, str]) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator=end, delimiter=delimiter[1], quoting=csv.QUOTE_ALL).writerows(rows)
    values = check(stream.getvalue(), delimiter=delimiter[0], header="no")
    assert (values["rows"], values["bad_rows"]) == (len(rows), 0)


# --- encodings


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"a,b\n", "utf-8"),
        ("ä,b\n".encode(), "utf-8"),
        ("ä,b\n".encode("utf-8-sig"), "utf-8-sig"),
        ("ä,b\n".encode("latin-1"), "windows-1252"),
        ("€,b\n".encode("cp1252"), "windows-1252"),
        (b"a,b\n\x81\x8d\xff,\xc3\n", "windows-1252"),
        ("\ufeffä,b\n".encode("utf-16-le"), "utf-16-le"),
        ("\ufeffä,b\n".encode("utf-16-be"), "utf-16-be"),
        ("\ufeffä,b\n".encode("utf-32-le"), "utf-32-le"),
        ("\ufeffä,b\n".encode("utf-32-be"), "utf-32-be"),
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xc3", "windows-1252"),
    ],
)
def test_encoding_is_recognized(content: bytes, encoding: str) -> None:
    assert check(content)["encoding"] == encoding


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32"])
def test_names_of_columns_are_compared_in_any_encoding(codec: str) -> None:
    assert check("größe;name\n1;2\n".encode(codec), expected_columns="größe,name")["rows"] == 1


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32"])
def test_lines_do_not_depend_on_the_size_of_the_parts(codec: str, piece_bytes: int) -> None:
    class Cut(SmallSource):
        def chunks(self, chunk_bytes: int = 0) -> Iterator[bytes]:
            return super().chunks(piece_bytes)

    text = "ä€\r\nb\n\n\rc\r\r\nd\re"
    lines = TextLines(Cut(text.encode(codec), "a"))
    assert [line for block in lines.blocks() for line in block] == ["ä€", "b", "", "", "c", "", "d", "e"]


# --- real files


def real_tables() -> list[Path]:
    """Return tables of other programs: of distributions, time zones and NumPy's tests, and samples of spreadsheets."""
    packages = [
        *Path(sys.base_prefix, "lib").glob("python3*/site-packages/numpy"),
        Path("/usr/lib/python3/dist-packages"),
    ]
    samples = Path(__file__).parents[2] / "resources" / "samples"
    folders = [Path("/usr/share/distro-info"), Path("/usr/share/zoneinfo"), samples, *packages]
    found = (path for folder in folders for path in sorted(folder.rglob("*.*")))
    tables = (path for path in found if path.suffix in {".csv", ".tsv", ".tab"} and path.stat().st_size < MIB)
    return list(islice(tables, 20))


def test_real_tables_have_the_rows_and_columns_that_python_finds() -> None:
    paths = real_tables()
    if len(paths) < 10:
        pytest.skip("needs a system with ten tables")
    for path in paths:
        values = process(path, bad_rows="report")
        delimiter = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}[str(values["delimiter"])]
        with path.open(encoding=str(values["encoding"]), newline="") as file:
            rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
        assert values["rows"] == len(rows) - bool(values["header"]), path
        assert values["columns"] == len(rows[0]), path
        assert values["bad_rows"] == sum(len(row) != len(rows[0]) for row in rows), path


# --- JSON Lines


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "A.JSONL", "a.txt", "a.json"])
def test_json_lines_file_has_its_rows_and_columns(name: str) -> None:
    content = '{"id": 1, "name": "a, b"}\n\n{"id": 2, "price": 1.5}\r\n  \n{"id": 3}'
    assert check(content, name) == {"kind": "jsonl", "rows": 3, "columns": 3, "bad_rows": 0, "encoding": "utf-8"}


def test_json_is_text_in_a_csv_file() -> None:
    assert check('{"a"}\n', "a.csv")["kind"] == "csv"


def test_arrays_are_rows_too() -> None:
    values = check("[1, 2]\n[1, 2, 3]\n", "a.jsonl")
    assert (values["rows"], values["columns"]) == (2, 3)
    assert "line 2 has 3 columns instead of 2" in failure("[1, 2]\n[1, 2, 3]\n", "a.jsonl", columns=2).text


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"a": 1', "is not valid JSON: Expecting ',' delimiter at character 8"),
        ("{'a': 1}", "is not valid JSON: Expecting property name"),
        ("{} {}", "is not valid JSON: Extra data"),
        ("nothing", "is not valid JSON"),
        ("1", "is neither a JSON object nor an array"),
        ('"text"', "is neither a JSON object nor an array"),
        ("null", "is neither a JSON object nor an array"),
        ('{"a": NaN}', "is not valid JSON: NaN"),
        ('{"a": -Infinity}', "is not valid JSON: -Infinity"),
        ('{"a": "x\ty"}', "is not valid JSON: Invalid control character"),
        ('{"a": ' + "9" * 5000 + "}", "is not valid JSON: Exceeds the limit"),
        ("[" * 100_000, "its JSON is nested too deeply"),
        ('{"a":' * 100_000, "its JSON is nested too deeply"),
    ],
)
def test_bad_line_is_found(line: str, why: str) -> None:
    content = f'{{"a": 1}}\n{line}\n{{"a": 1}}\n'
    error = failure(content, "a.jsonl")
    assert error.text.startswith("The content is not valid: line 2 ")
    assert why in error.text
    values = check(content, "a.jsonl", bad_rows="report")
    assert (values["rows"], values["bad_rows"], values["first_bad_line"]) == (3, 1, 2)


def test_names_in_each_object_are_checked() -> None:
    content = '{"a": 1, "b": 2}\n{"b": 2, "a": 1}\n'
    assert check(content, "a.jsonl", expected_columns="a,b")["columns"] == 2
    assert "line 1 does not have “c”" in failure(content, "a.jsonl", expected_columns="a,b,c").text
    assert "line 1 has “b”, which is not expected" in failure(content, "a.jsonl", expected_columns="a").text
    assert "line 1 has 2 columns instead of 1" in failure(content, "a.jsonl", columns=1).text


def test_too_many_names_are_not_counted() -> None:
    content = "".join(f'{{"{number}": 1}}\n' for number in range(10_002))
    values = check(content, "a.jsonl")
    assert values["rows"] == 10_002
    assert "columns" not in values


# --- broken and hostile files

OPEN_QUOTE = b'a,b\n1,2\n"'
HOSTILE = {
    "one line": (b"x" * (20 * MIB), "line 1 has more than 16 million characters"),
    "one line of delimiters": (b"," * (20 * MIB), "line 1 has more than 16 million characters"),
    "one line of quotation marks": (b'"' * (20 * MIB), "line 1 has more than 16 million characters"),
    "one line after others": (b"a,b\n" * 100_000 + b"x" * (20 * MIB), "line 100001 has more than 16 million"),
    "one line of UTF-16": (b"\xff\xfe" + b"\x0a\x0d" * (20 * MIB), "line 1 has more than 16 million characters"),
    "an open quotation mark": (
        OPEN_QUOTE + (b"3," * 50 + b"\n") * 200_000,
        "the row that begins in line 3 has more than",
    ),
    "an open quotation mark and long lines": (OPEN_QUOTE + (b"x" * MIB + b"\n") * 40, "the row that begins in line 3"),
    "a row without an end": (
        b"a\n" + (b'"' + b"x" * 100 + b'\n",') * 200_000,
        "the row that begins in line 2 has more than",
    ),
    "zeros": (bytes(20 * MIB), "line 1 contains a NUL character"),
    "a NUL": (b"a,b\n1,2\n1,\0\n", "line 3 contains a NUL character"),
    "UTF-16 without a mark": ("a,b\n1,2\n".encode("utf-16-le"), "line 1 contains a NUL character"),
    "a program": (b"\x7fELF\x02\x01\x01\0\0\0", "line 1 contains a NUL character"),
    "an archive": (b"PK\x03\x04\x14\0\0\0\x08\0", "line 1 contains a NUL character"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "line 3 contains a NUL character"),
    "UTF-8 that ends in a character": (b"\xc3\xa4,b\n1,\xe2\x82", "line 2 is not valid UTF-8, unlike the text before"),
    "UTF-8 with another byte": (
        b"\xc3\xa4,b\r\n1,2\r\n\xff,4\r\n",
        "line 3 is not valid UTF-8, unlike the text before",
    ),
    "UTF-16 with half a character": (b"\xff\xfea\0,\0b\0\n\0\x00\xd8", "line 2 is not valid UTF-16-LE"),
    "UTF-16 that ends in a character": (b"\xff\xfea\0,\0b", "line 1 is not valid UTF-16-LE"),
    "UTF-32 with a character that does not exist": (b"\xff\xfe\0\0\xff\xff\xff\xff", "line 1 is not valid UTF-32-LE"),
    "a web page": (b"<html>\n<p>a, b</p>\n<p>c</p>\n", "line 2 has 2 columns instead of 1"),
    "a document": (b"%PDF-1.7\n1, 2 R\n", "line 2 has 2 columns instead of 1"),
    "half a file": (b'a,b\n1,"2"\n3,"', "line 3 has a quotation mark that is not closed"),
    "a deep object": (b'{"a":' * (3 * MIB), "line 1 is not usable: its JSON is nested too deeply"),
    "a large number": (b'{"a": ' + b"9" * (10 * MIB) + b"}", "line 1 is not valid JSON: Exceeds the limit"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_file_fails_with_a_plain_reason_and_limited_memory(kind: str, tmp_path: Path) -> None:
    content, why = HOSTILE[kind]
    path = tmp_path / ("a.jsonl" if content.startswith(b"{") else "a.csv")
    path.write_bytes(content)
    with measured_memory() as memory, pytest.raises(FileError) as caught:
        process(path)
    assert memory.peak < 256 * MIB
    assert why in caught.value.text


def test_no_more_of_a_long_line_is_read_than_allowed() -> None:
    class Endless(SmallSource):
        read = 0

        def chunks(self, chunk_bytes: int = 0) -> Iterator[bytes]:
            while True:
                Endless.read += chunk_bytes
                yield b"x" * chunk_bytes

    with pytest.raises(FileError):
        TableProcessor().process(
            Endless(b"", "a"), {option.name: option.default for option in TableProcessor.options}, RecordingWatch()
        )
    assert Endless.read < MOST_CHARS + 2 * MIB


def test_large_file_is_read_with_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b'1,"text\r\nand text"\r\n' * 100_000)
    with measured_memory() as memory:
        assert process(path)["rows"] == 100_000
    assert memory.peak < 8 * MIB


@pytest.mark.slow
def test_child_process_survives_all_hostile_files(tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_bytes(b"a,b\n1,2\n")
    hostile = {
        **HOSTILE,
        "many columns": (b"," * (16 * MIB - 1), ""),
        "many objects": (b"[" + b"{}," * (5 * MIB) + b"{}]", ""),
    }
    with closing(HelperProcess()) as helper:

        def rows(path: Path) -> Value:
            return helper.process(str(path), RecordingWatch(), "table", limits=Limits()).values["rows"]

        rows(good)
        child = helper._child
        for content, why in hostile.values():
            path = tmp_path / ("a.jsonl" if content.startswith((b"{", b"[")) else "a.csv")
            path.write_bytes(content)
            if why:
                with pytest.raises(FileError) as caught:
                    rows(path)
                assert why in caught.value.text
            else:
                rows(path)
            assert rows(good) == 1
        assert helper._child is child
