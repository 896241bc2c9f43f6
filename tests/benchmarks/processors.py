"""Measure the processors: how fast each processes a file, as a ratio to its library alone in a loop on the same file.

    python -m tests.benchmarks.processors [MB]

All take turns in one run and in one process, since the computer may be busy: compare ratios, not runs. The files are in
the page cache. The last lines measure many small files: those of a folder that are compared with one list, and those
that go to the child process one after another.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections import deque
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from desktop_app.config.presets import Preset
from desktop_app.processing.isolation import HelperProcess
from desktop_app.processing.outputs import Outputs
from desktop_app.processing.processor import Limits
from desktop_app.processing.registry import ProcessorRegistry, default_registry
from tests.benchmarks._results import at_least, at_most_times, missing
from tests.benchmarks.counting import NoWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEGABYTES = 70
TURNS = 5
GOAL = 0.7
FOLDERS = (1_000, 10_000)
MOST_GROWTH = 1.3
SMALL_FILES = 2_000
COMMANDS = 500
CHUNK_BYTES = 1 << 20


class NumberedWatch(NoWatch):
    """A watch that ignores everything.

    Attributes:
        attempt_id: See `Watch`.
    """

    def __init__(self, attempt_id: str) -> None:
        self.attempt_id = attempt_id


class Case(NamedTuple):
    """A file, and who processes it.

    Attributes:
        what: What is measured.
        path: The file.
        megabytes: The amount of data that is processed, in MB.
        processor: The name of the processor.
        options: Its options.
        peer: What it is compared with.
        alone: Processes the file with the library alone.
    """

    what: str
    path: Path
    megabytes: float
    processor: str
    options: dict[str, object]
    peer: str
    alone: Callable[[Path], object]


def exhaust(values: Iterator[object]) -> None:
    """Read all values without keeping them."""
    deque(values, maxlen=0)


def rows(megabytes: float) -> Iterator[str]:
    """Yield lines of a CSV file, without their ends."""
    chance = random.Random(1)
    written, number = 0, 0
    while written < megabytes * 1_000_000:
        number += 1
        row = f'{number},order {chance.randrange(10**6)},{chance.randrange(10**4) / 100:.2f},"a text, with commas"'
        written += len(row) + 1
        yield row


def hash_alone(path: Path) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)


def read_csv_alone(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file):
            pass


def read_json_alone(path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        for line in file:
            json.loads(line)


def check_zip_alone(path: Path) -> None:
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None


def read_gzip_alone(path: Path) -> None:
    with gzip.open(path) as file:
        exhaust(iter(lambda: file.read(CHUNK_BYTES), b""))


def read_tar_alone(path: Path) -> None:
    with tarfile.open(path, "r|*") as file:
        exhaust(iter(file))


def table_cases(folder: Path, megabytes: float) -> Iterator[Case]:
    path = folder / "table.csv"
    path.write_text("\n".join(rows(megabytes)), encoding="utf-8")
    yield Case("CSV", path, megabytes, "table", {}, "csv.reader", read_csv_alone)
    path = folder / "table.jsonl"
    lines = (json.dumps({"id": number, "row": row}) for number, row in enumerate(rows(megabytes)))
    path.write_text("\n".join(lines), encoding="utf-8")
    yield Case("JSON Lines", path, path.stat().st_size / 1e6, "table", {}, "json.loads", read_json_alone)


def archive_cases(folder: Path, megabytes: float) -> Iterator[Case]:
    text = "\n".join(rows(megabytes)).encode()
    for what, size in (("large", len(text) // 10), ("small", 2_000)):
        parts = [(f"folder/{at}.csv", text[at : at + size]) for at in range(0, len(text), size)][:20_000]
        amount = sum(len(part) for _, part in parts) / 1e6
        path = folder / f"{what}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in parts:
                archive.writestr(name, part)
        yield Case(f"zip with {what} files", path, amount, "archive", {}, "zipfile.testzip", check_zip_alone)
        path = folder / f"{what}.tar.gz"
        with tarfile.open(path, "w:gz", compresslevel=6) as tar:
            for name, part in parts:
                info = tarfile.TarInfo(name)
                info.size = len(part)
                tar.addfile(info, io.BytesIO(part))
        yield Case(f"tar.gz with {what} files", path, amount, "archive", {}, "tarfile", read_tar_alone)
    path = folder / "text.gz"
    path.write_bytes(gzip.compress(text, 6))
    yield Case("gzip", path, megabytes, "archive", {}, "gzip.open", read_gzip_alone)


def cases(folder: Path, megabytes: float) -> Iterator[Case]:
    """Yield all cases; their files are written to a folder."""
    path = folder / "random"
    path.write_bytes(os.urandom(1_000_000) * int(megabytes * 4))
    yield Case("SHA-256", path, megabytes * 4, "checksum", {"lists": "none"}, "hashlib", hash_alone)
    yield from table_cases(folder, megabytes)
    yield from archive_cases(folder, megabytes)


def measure(*works: Callable[[], object]) -> list[float]:
    """Return the median processor time of each function in seconds; they take turns."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(TURNS):
        for work, each in zip(works, taken, strict=True):
            used = time.process_time()
            work()
            each.append(time.process_time() - used)
    return [statistics.median(each) for each in taken]


def compare(case: Case, registry: ProcessorRegistry) -> None:
    """Report how fast a processor is, in processor time: one that needs a second thread would not be faster."""
    options = json.dumps(case.options)
    own, peer = measure(
        lambda: registry.process(str(case.path), NoWatch(), processor=case.processor, options=options),
        lambda: case.alone(case.path),
    )
    what = f"{case.what}, {case.megabytes:,.0f} MB"
    at_least(what, case.megabytes / own, "MB/s", peer=case.peer, against=case.megabytes / peer, goal=GOAL)


def write_folder(folder: Path, count: int) -> list[Path]:
    """Write small files and one list of their checksums."""
    folder.mkdir()
    paths, lines = [], []
    for number in range(count):
        path = folder / f"{number}.txt"
        content = b"%d\n" % number * 100
        path.write_bytes(content)
        paths.append(path)
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {path.name}\n")
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    for path in (folder / "SHA256SUMS", folder):
        os.utime(path, (1, 1))  # what has just changed is read again for each file
    return paths


def verify_folders(folder: Path) -> None:
    """Report how the time for a file depends on how many files one list has."""

    def verify(paths: list[Path]) -> None:
        registry = default_registry()
        for path in paths:
            assert registry.process(str(path), NoWatch(), processor="checksum").values["verified"]

    few, many = (write_folder(folder / str(count), count) for count in FOLDERS)
    least, most = measure(lambda: verify(few), lambda: verify(many))
    at_most_times(
        f"a file of {len(many):,} that are compared with one list",
        most / len(many) * 1e6,
        "µs",
        peer=f"of {len(few):,}",
        against=least / len(few) * 1e6,
        goal=MOST_GROWTH,
    )


def process_in_child(folder: Path) -> None:
    """Report how many small tables the child process checks, compared with the same in this process."""
    names = [str(folder / f"{number}.csv") for number in range(SMALL_FILES)]
    for name in names:
        Path(name).write_text("\n".join(rows(0.002)), encoding="utf-8")
    registry, limits = default_registry(), Limits()
    with closing(HelperProcess()) as helper:
        helper.process(names[0], NoWatch(), "table", limits=limits)
        begun = time.perf_counter()
        for name in names:
            helper.process(name, NoWatch(), "table", limits=limits)
        in_child = time.perf_counter() - begun
    begun = time.perf_counter()
    for name in names:
        registry.process(name, NoWatch(), processor="table")
    alone = time.perf_counter() - begun
    what = f"{SMALL_FILES:,} tables of 2 KB in the child process"
    at_least(what, SMALL_FILES / in_child, "files/s", peer="in this process", against=SMALL_FILES / alone, goal=None)


def run_commands(folder: Path) -> None:
    """Report how many commands are run one after another, compared with starting the same program alone."""
    count = shutil.which("wc")
    if count is None or os.name == "nt":
        missing("commands", "there is no wc")
        return
    paths = write_folder(folder / "commands", COMMANDS)
    presets = [
        Preset("count", argv=(count, "-c", "{path}")),
        Preset("copy", argv=("cp", "{path}", "{out}"), output="{folder}/out"),
    ]
    outputs = Outputs(folder / "jobs.db", "")
    registry = default_registry(presets=presets, outputs=outputs)
    begun = time.perf_counter()
    for path in paths:
        subprocess.run([count, "-c", str(path)], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    alone = time.perf_counter() - begun
    for name, what in (("count", "commands"), ("copy", "commands whose output is published")):
        begun = time.perf_counter()
        for number, path in enumerate(paths):
            watch = NumberedWatch(f"00000000-0000-4000-8000-{number:012}-1")
            result = registry.process(str(path), watch, processor=f"command:{name}")
            if result.staged is not None:
                outputs.publish(result.staged)
        taken = time.perf_counter() - begun
        at_least(
            f"{COMMANDS} {what}", COMMANDS / taken, "/s", peer="subprocess.run", against=COMMANDS / alone, goal=None
        )
    assert len(list((folder / "commands" / "out").iterdir())) == COMMANDS


def main(megabytes: float) -> int:
    registry = default_registry()
    with tempfile.TemporaryDirectory(prefix="filemill-benchmark-") as name:
        folder = Path(name)
        for case in cases(folder, megabytes):
            compare(case, registry)
            case.path.unlink()
        verify_folders(folder)
        process_in_child(folder)
        run_commands(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES))
