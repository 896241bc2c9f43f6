"""The conditions that can be typed into the filter box, in SQL."""

from __future__ import annotations

import fnmatch
import os
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_app.domain.query import Filter
from desktop_app.domain.search import Key, KnownValues, Search, Text, TextTerm
from desktop_app.domain.search_parser import parse_search
from desktop_app.store.job_list import JobList
from tests.helpers.fakes import FakeClock
from tests.store.kit import NOW, QUEUE, row_ids

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from tests.store.kit import Store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="paths of POSIX")

PATHS = [
    "/data/in/report.json",
    "/data/in/Report-2026.CSV",
    "/data/json/notes.txt",
    "/data/json/.json",
    "/data/report/a.tar.gz",
    "/data/Übung/Straße 100%.txt",
    "/data/in/no_type",
    "/data/in/[odd] a?b*.txt",
]


@pytest.fixture
def listed(store: Store) -> list[Job]:
    return store.add(*PATHS)


def found(store: Store, typed: str) -> list[int]:
    return list(store.jobs.ids(Filter(search=parse_search(typed))))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("*.json", [0, 3]),
        ("*.JSON", [0, 3]),
        ("report*", [0, 1]),
        ("*report*", [0, 1]),
        ("report", [0, 1, 4]),
        ("rep?rt*", [0, 1]),
        ("?eport.json", [0]),
        ("?????.txt", [2]),
        ("*-????.*", [1]),
        ("*", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("?*", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("**t*", [0, 1, 2, 4, 5, 6, 7]),
        ("eport*", []),
        ("json*", []),
        ("in/*.csv", [1]),
        ("n/*.csv", []),
        ("/data/*/report*", [0, 1]),
        ("/data/*", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("*straße*", [5]),
        ("*STRASSE*", [5]),
        ("stra?e*", [5]),
        ("*100%*", [5]),
        ("*%*", [5]),
        ("*_*", [6]),
        ("*[*", [7]),
        ("[odd]*", [7]),
        ('"a?b*"', [7]),
        ('"*.json"', []),
        ("-*.json", [1, 2, 4, 5, 6, 7]),
        ("name:report", [0, 1]),
        ("name:json", [0, 3]),
        ("name:in", []),
        ("name:REPORT*", [0, 1]),
        ("name:ß", [5]),
        ("name:straSSe", [5]),
        ("name:%", [5]),
        ("folder:json", [2, 3]),
        ("folder:in", [0, 1, 6, 7]),
        ("folder:in/", [0, 1, 6, 7]),
        ("folder:report", [4]),
        ("folder:übung", [5]),
        ("folder:*/in", [0, 1, 6, 7]),
        ("folder:/data/*", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("folder:in*", []),
        ("folder:*bung", [5]),
        ("path:json", [0, 2, 3]),
        ("path:json/*", [2, 3]),
        ("path:/data/in/report.json", [0]),
        ("type:json", [0]),
        ("type:.JSON", [0]),
        ("type:csv,json", [0, 1]),
        ("type:csv type:json", [0, 1]),
        ("type:gz", [4]),
        ("type:tar.gz", [4]),
        ("type:js", []),
        ("type:js*", [0]),
        ("type:t?t", [2, 5, 7]),
        ("type:ß", []),
        ('type:"t?t"', []),
        ("-type:json", [1, 2, 3, 4, 5, 6, 7]),
        ("-type:json,txt -name:report", [3, 4, 6]),
        ("-report", [2, 3, 5, 6, 7]),
        ("-colour:red", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_names_folders_paths_and_types(store: Store, listed: list[Job], typed: str, expected: list[int]) -> None:
    assert found(store, typed) == [listed[at].row_id for at in expected]


def test_numbers_and_times(store: Store) -> None:
    small, large, unknown, slow = store.add("/small", "/large", "/unknown", "/slow")
    store.sql("UPDATE job SET file_size = 3400000, attempts = 3, lines_count = 0 WHERE id = ?", large.row_id)
    store.sql("UPDATE job SET file_size = NULL WHERE id = ?", unknown.row_id)
    store.sql("UPDATE job SET started_at = ?, finished_at = ? WHERE id = ?", NOW, NOW + 130_500, slow.row_id)
    expected = {
        "size:3.4MB": [large],
        "size:1MB..2GB": [large],
        "size:<1MB": [small, slow],
        "-size:<1MB": [large, unknown],
        "size:..1kB size:>5": [small, slow],
        "lines:0": [large],
        "-lines:0": [small, unknown, slow],
        "attempts:>1": [large],
        "attempts:0": [small, unknown, slow],
        "took:>1m": [slow],
        'took:"2 min 10 s"': [slow],
        "-took:>1m": [small, large, unknown],
        "-finished:2020..": [small, large, unknown],
    }
    for typed, jobs in expected.items():
        assert found(store, typed) == row_ids(jobs), typed


def test_today_is_the_day_on_which_the_list_is_read(store: Store) -> None:
    noon = datetime(2026, 11, 27, 12)  # noqa: DTZ001 - local time
    jobs = store.add("/yesterday", "/this morning", "/two hours ago", "/now")
    moments = [noon - timedelta(hours=13), noon - timedelta(hours=11), noon - timedelta(minutes=119), noon]
    for job, moment in zip(jobs, moments, strict=True):
        store.sql("UPDATE job SET created_at = ? WHERE id = ?", round(moment.timestamp() * 1000), job.row_id)
    clock = FakeClock(noon.timestamp())
    job_list = JobList(store.database, clock)

    def listed(typed: str) -> list[int]:
        return [row_ids(jobs).index(row) for row in job_list.ids(Filter(search=parse_search(typed)))]

    assert listed("added:today") == [1, 2, 3]
    assert listed("added:yesterday") == [0]
    assert listed("added:2h") == [2, 3]
    assert listed("added:>2h") == [0, 1]
    assert listed("added:2026-11-27") == [1, 2, 3]
    assert listed("added:<2026-11-27") == [0]
    assert listed("added:1:00..10:00") == [1]
    assert listed("-added:2h") == [0, 1]
    clock.now = (noon + timedelta(days=1)).timestamp()
    assert listed("added:today") == []
    assert listed("added:yesterday") == [1, 2, 3]


def test_batches_and_workers(store: Store) -> None:
    first, second, third = (store.add(f"/{number}")[0] for number in range(3))
    store.sql("UPDATE batch SET name = '3 files from Reports' WHERE id = ?", first.batch_id)
    store.sql("UPDATE batch SET name = 'Ärger' WHERE id = ?", second.batch_id)
    store.start(first, worker="laptop/a1")
    store.start(second, worker="server-2/b2")
    expected = {
        "batch:reports": [first],
        'batch:"files from"': [first],
        "batch:*reports": [first],
        "batch:reports*": [],
        "batch:ärger": [second],
        "batch:ärger batch:reports": [first, second],
        "-batch:reports": [second, third],
        "worker:laptop": [first],
        "worker:LAP*": [first],
        "worker:laptop worker:server": [first, second],
        "-worker:laptop": [second, third],
    }
    for typed, jobs in expected.items():
        assert found(store, typed) == row_ids(jobs), typed


def test_values_to_offer(store: Store) -> None:
    assert store.jobs.known_values() == KnownValues()
    jobs = store.add("/a.JSON", "/b.json", "/in.d/plain", "/.hidden", "/x.tar.gz", "/end.", "/ü.Csv")
    gone = store.intake.add([], queue=QUEUE, name="never filled", now_ms=NOW)
    store.add("/unnamed")
    store.sql("UPDATE batch SET name = '' WHERE id > ?", jobs[0].batch_id)
    for job, worker in zip(jobs, ["pc/1", "pc/2", "laptop/1"], strict=False):
        store.start(job, worker=worker)
    assert gone.job_ids == ()
    assert store.jobs.known_values() == KnownValues(("json", "csv", "gz"), ("batch",), ("laptop", "pc"), ("lines",))


@pytest.mark.parametrize(
    "typed",
    [
        "ä " * 5_000,
        "x" * 10_000,
        "%" * 10_000,
        "\x01" * 10_000,
        "*" * 10_000,
        "*?" * 5_000,
        "*a" * 5_000,
        "*ä" * 500,
        f"name:{'*_' * 5000}",
        f"folder:{'/' * 10_000}",
        f"type:{','.join(map(str, range(2_000)))}",
        f"reason:{'a' * 10_000}",
        f"added:{'1' * 10_000}",
        f"size:{'9' * 10_000}",
        f"took:{'1h' * 5_000}",
        f"status:{'failed,' * 1_000}",
        " ".join(f"-name:{number}*" for number in range(500)),
        " ".join(f"{number}" for number in range(2_000)),
        " ".join(f"reason:{number}" for number in range(500)),
        " ".join(f"-e{number}" for number in range(500)),
        "'; DROP TABLE job; --",
        '"' * 10_000,
        "-" * 10_000,
        ":" * 10_000,
    ],
)
def test_huge_and_hostile_texts_can_be_searched_for(store: Store, listed: list[Job], typed: str) -> None:
    assert set(found(store, typed)) <= set(row_ids(listed))
    assert found(store, "") == row_ids(listed)


PART = st.text(alphabet="aAb.-%_[ß*?", min_size=1, max_size=5)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(PART, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts)), min_size=1, max_size=4),
    st.text(alphabet="aAb.-%_[*?ß", min_size=1, max_size=5),
)
def test_shortcuts_find_the_same_as_a_comparison_of_each_name(store: Store, paths: list[str], text: str) -> None:
    jobs = store.add(*paths)
    pattern = re.compile(fnmatch.translate(text.casefold().replace("[", "[[]")))
    for job in jobs:
        store.sql("UPDATE job SET removed_at = 1 WHERE id < ?", job.row_id)
    names = [os.path.basename(path) for path in paths]  # noqa: PTH119
    folders = [path[: -len(name)] for path, name in zip(paths, names, strict=True)]
    store.sql(f"UPDATE job SET removed_at = NULL WHERE id >= {jobs[0].row_id}")

    def ids(key: Key, *, is_pattern: bool) -> list[int]:
        search = Search((TextTerm(key, (Text(text, is_pattern),)),))
        return [row - jobs[0].row_id for row in store.jobs.ids(Filter(search=search))]

    folded = text.casefold()
    assert ids(Key.NAME, is_pattern=False) == [at for at, name in enumerate(names) if folded in name.casefold()]
    assert ids(Key.FOLDER, is_pattern=False) == [at for at, name in enumerate(folders) if folded in name.casefold()]
    assert ids(Key.NAME, is_pattern=True) == [
        at for at, name in enumerate(names) if pattern.fullmatch(name.casefold()) or pattern.fullmatch(name.lower())
    ]
