"""Run a command for files with names of every kind, and kill the workers; each output must be there once and whole.

    python tests/torture/commands.py [--files 2000] [--kills 40] [--freezes 1] [--minutes 15] [--seed N] [--keep]

Two workers process the files on the embedded queue. Every few seconds one is killed with SIGKILL, so that its commands
end in the middle. A frozen worker (SIGSTOP) loses its leases while its commands go on; another one processes the files,
and when the first continues, its output must not be published. The output names the attempt that has written it, which
must be the one whose result is in the database. The exit code is 1 if anything is wrong in the end.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop_app.config.presets import Preset, save_preset
from desktop_app.processing.outputs import Outputs
from tests.crash import status_log
from tests.helpers import wait_until
from tests.store.kit import rows_of
from tests.torture.run import SHOWN, say
from tests.torture.verify import wrong_in_the_log
from tests.torture.world import Programs, kill

if TYPE_CHECKING:
    import subprocess

COPY = Preset(
    "copy",
    argv=(
        *("sh", "-c", 'head -c 7 "$1" > "$2.out"; sleep "0.0$(($$ % 10))"; tail -c +8 "$1" >> "$2.out"; pwd > "$2.at"'),
        *("sh", "{path}", "./{name}"),
    ),
    output="{folder}/out",
)
"""A command that writes a copy in two steps, and then the attempt."""
KINDS = (
    b"plain %d.txt",
    b" leading and trailing space %d ",
    b"-rf %d",
    b"--help=%d",
    b"'quotes' \"%d\" `x` $(touch hacked) $HOME",
    b"new\nline %d",
    b"tab\tand\x07bell %d",
    b"{out}{name} %d {{}}",
    b"latin-1 caf\xe9 %d",
    b"\xff\xfe %d",
    "emoji 😀 ünï %d".encode(),
    "\u202egnp.%d".encode(),
    b"back\\slash; & | > %d *?[a]",
    b"%%s %%n %d",
    b"...%d.txt",
    b"x" * 235 + b"%d",
)
LEASE_SECONDS = 45.0
"""How long a worker is frozen: longer than its leases."""
SUBMIT_SECONDS = 120.0


def torture(folder: Path, *, files: int, kills: int, freezes: int, minutes: float, seed: int) -> list[str]:
    """Return what is wrong after all."""
    chance = random.Random(seed)
    home, place = folder / "home", folder / "files"
    home.mkdir()
    save_preset(home / "settings.toml", COPY)
    known = write_files(place, files, chance)
    programs = Programs(home)
    end = time.monotonic() + 60 * minutes
    try:
        if programs.start("submit", "--recursive", "--processor", COPY.processor, str(place)).wait(SUBMIT_SECONDS):
            return [f"submit failed: {programs.output_of(programs.started[-1])}"]
        status_log.install(programs.database)
        workers = [_worker(programs) for _ in range(2)]
        for number in range(kills):
            if number == kills // 2:
                for _ in range(freezes):
                    _freeze(programs, workers[0])
            wanted = _ended(programs) + chance.uniform(0, 2) * files / kills
            wait_until(partial(_has_ended, programs, wanted), timeout=60, what="files were processed")
            one = chance.randrange(2)
            kill(workers[one])
            workers[one] = _worker(programs)
        for worker in workers:
            kill(worker)
        last = programs.start("worker", "--until-idle", "--concurrency", "4")
        with suppress(Exception):
            last.wait(max(1, end - time.monotonic()))
        wrong = [] if last.poll() == 0 else [f"worker --until-idle: {last.poll()} {programs.output_of(last)}"]
        return wrong + verify(programs, place, known)
    finally:
        programs.end_all()


def write_files(place: Path, count: int, chance: random.Random) -> dict[str, bytes]:
    """Create files with names of every kind in several folders; return their content by path."""
    known = {}
    for number in range(count):
        path = place / f"{number % 7}" / os.fsdecode(KINDS[number % len(KINDS)] % number)
        path.parent.mkdir(parents=True, exist_ok=True)
        known[str(path)] = chance.randbytes(chance.randrange(5000))
        path.write_bytes(known[str(path)])
    return known


def _worker(programs: Programs) -> subprocess.Popen[str]:
    return programs.start("worker", "--concurrency", "3")


def _ended(programs: Programs) -> int:
    return programs.standing()[0].get(status_log.PROCESSED, 0)


def _has_ended(programs: Programs, count: float) -> bool:
    """Return whether so many files were processed, and others are just being processed, or none is left."""
    statuses = programs.standing()[0]
    is_enough = statuses.get(status_log.PROCESSED, 0) >= count and bool(statuses.get(status_log.PROCESSING))
    return is_enough or not statuses.get(status_log.PENDING)


def _freeze(programs: Programs, worker: subprocess.Popen[str]) -> None:
    """Stop a worker until it has lost its leases, and then let it go on."""
    wait_until(partial(_has_ended, programs, 0), timeout=60, what="files are being processed")
    worker.send_signal(signal.SIGSTOP)
    time.sleep(LEASE_SECONDS)
    worker.send_signal(signal.SIGCONT)
    time.sleep(2)


def verify(programs: Programs, place: Path, known: dict[str, bytes]) -> list[str]:
    """Return what is wrong: on the list, in the output folders, and in the log."""
    wrong = status_log.violations(programs.database)
    rows = rows_of(programs.database, "SELECT file_path, raw_path, status, lease_token, uuid FROM job")
    attempts = {}
    for text, raw, status, token, uuid in rows:
        base = os.fsencode(text if raw is None else raw).rpartition(b"/")[2]
        attempts[base] = f".filemill-{uuid}-{token}"
        if status != status_log.PROCESSED:
            wrong.append(f"{base!r} has the status {status}")
    if len(rows) != len(known):
        wrong.append(f"{len(rows)} files are on the list, not {len(known)}")
    expected = {}
    for path, content in known.items():
        folder, _, name = path.rpartition("/")
        expected[f"{folder}/out/{name}.out"] = content
        attempt = attempts.get(os.fsencode(name), "?")
        expected[f"{folder}/out/{name}.at"] = os.fsencode(f"{folder}/out/{attempt}\n")
    files = {str(file): file for file in place.rglob("*") if file.is_file()}
    found = {path: file.read_bytes() for path, file in files.items() if path not in known}
    wrong += [f"missing: {path!r}" for path in expected.keys() - found.keys()]
    wrong += [f"too much: {path!r}" for path in found.keys() - expected.keys()]
    both = expected.keys() & found.keys()
    wrong += [f"not whole, or of a lost lease: {path!r}" for path in both if found[path] != expected[path]]
    wrong += [f"left: {staged.folder}" for staged in Outputs(programs.database, "").left()]
    wrong += [f"still running: {process}" for process in _running_in(place)]
    return wrong + wrong_in_the_log(programs.home / "logs")


def _running_in(place: Path) -> list[str]:
    """Return the processes whose working folder is one of the output folders."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str((process / "cwd").readlink()).startswith(str(place)):
                found.append(process.name)
    return found


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Kill workers that run commands, and see whether all ends well.")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--freezes", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=15, help="after so long it counts as hanging")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--keep", action="store_true", help="leave the folder for a look")
    options = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="filemill-torture-"))
    say(f"{options.files} files, {options.kills} kills, {options.freezes} freezes, seed {options.seed}")
    begun = time.monotonic()
    wrong = torture(
        folder,
        files=options.files,
        kills=options.kills,
        freezes=options.freezes,
        minutes=options.minutes,
        seed=options.seed,
    )
    say(f"{time.monotonic() - begun:.0f} s")
    if options.keep:
        say(f"Left in {folder}")
    else:
        shutil.rmtree(folder)
    if wrong:
        say("", f"WRONG: {len(wrong)} things", *(f"  {what}" for what in wrong[:SHOWN]))
        return 1
    say("All right: each output is there once, whole, and of the attempt that counts.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
