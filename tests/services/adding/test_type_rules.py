"""The rules by which processors are chosen for files of some types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.fields import Choice
from desktop_app.domain.job import NewFile
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.adding.type_rules import TypeRule, TypeRules, written
from desktop_app.services.control import ProcessingControl
from desktop_app.store.adding import Intake

if TYPE_CHECKING:
    from tests.services.conftest import ServicesSetup

RULES = "*.csv; *.tsv => table\n*.jpg *.png => image\n*.csv => checksum\n* => command:tidy"


@pytest.mark.parametrize(
    ("path", "processor"),
    [
        ("/a/b.csv", "table"),
        ("/a/B.CSV", "table"),
        ("/a/x.tsv", "table"),
        ("/a.csv/x.png", "image"),
        ("/a/b", "command:tidy"),
        ("/a/caf\udce9.jpg", "image"),
    ],
)
def test_first_rule_that_matches_the_name_applies(path: str, processor: str) -> None:
    assert TypeRules(RULES).processor_of(path) == processor


def test_lines_are_counted_without_a_rule() -> None:
    assert TypeRules("*.csv => table").processor_of("/a.txt") == "lines"


@pytest.mark.parametrize(
    "line", ["", "*.csv", "=> table", "*.csv =>", "*.csv => rm -rf /", "*.csv => ../x", "*.csv -> table"]
)
def test_line_that_is_no_rule_is_ignored(line: str) -> None:
    assert TypeRules(f"{line}\n*.x => table").rules == (TypeRule("*.x", "table"),)


def test_rules_are_read_back_as_written() -> None:
    rules = TypeRules(RULES).rules
    assert TypeRules(written([*rules, TypeRule("  ", "image")])).rules == rules


def test_files_of_one_addition_get_processors_by_their_types_unless_one_is_chosen(services: ServicesSetup) -> None:
    editor = JobEditor(
        Intake(services.database),
        queue="q",
        clock=services.clock,
        control=ProcessingControl(),
        rules=lambda: "*.csv => table",
    )
    files = [NewFile(path, 1, None) for path in ("/b.csv", "/a.txt")]
    editor.add(files)
    editor.add(files, choice=Choice("checksum", '{"algorithm": "md5"}'))
    found = [(job.name, job.processor, job.options) for job in services.jobs.all()]
    assert found == [
        ("b.csv", "table", ""),
        ("a.txt", "lines", ""),
        ("b.csv", "checksum", '{"algorithm": "md5"}'),
        ("a.txt", "checksum", '{"algorithm": "md5"}'),
    ]
