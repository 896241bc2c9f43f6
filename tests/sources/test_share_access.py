"""Access to network shares that do not respond."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.sources import scan as scanning
from desktop_app.sources.mounts import Mount, MountTable
from desktop_app.sources.scan import Refusal, RefusalKind, kind_of, scan
from desktop_app.sources.share_access import MAX_HUNG_PER_MOUNT, NotRespondingError, ShareAccess
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Share:
    """A folder that counts as a network share, whose accesses block until the test releases them."""

    def __init__(self, place: Path, silent_s: float = 0.1) -> None:
        self.place = str(place)
        place.mkdir()
        mounts = {"/": Mount("/"), self.place: Mount(self.place, "2", is_remote=True)}
        self.access = ShareAccess(MountTable(lambda: mounts), silent_s=silent_s)
        self.go_on = threading.Event()

    def block(self, _: Callable[[], None]) -> str:
        self.go_on.wait(30)
        return "late"

    def hang_at_stat(self, monkeypatch: pytest.MonkeyPatch, on_stat: Callable[[], None] = lambda: None) -> None:
        stat = os.stat

        def hanging_stat(path: str, **options: bool) -> object:
            if str(path).startswith(self.place):
                on_stat()
                self.go_on.wait(30)
            return stat(path, **options)

        monkeypatch.setattr(os, "stat", hanging_stat)

    def respond(self) -> None:
        """Let all accesses go on, and wait until they have ended."""
        self.go_on.set()
        wait_until(lambda: not any(thread.name.startswith("access ") for thread in threading.enumerate()))

    def run(self, work: Callable[[Callable[[], None]], str]) -> str:
        return self.access.run(f"{self.place}/file", work)


@pytest.fixture
def share(tmp_path: Path) -> Iterator[Share]:
    share = Share(tmp_path / "share")
    yield share
    share.respond()


@pytest.fixture
def patient_share(tmp_path: Path) -> Iterator[Share]:
    """Return a share that a busy machine does not make silent."""
    share = Share(tmp_path / "share", silent_s=30)
    yield share
    share.respond()


def test_local_path_is_accessed_on_the_same_thread(patient_share: Share, tmp_path: Path) -> None:
    me = threading.current_thread()
    assert patient_share.access.run(str(tmp_path / "file"), lambda _: threading.current_thread()) is me


def test_result_and_error_of_a_share_that_responds_are_passed_on(patient_share: Share) -> None:
    def fail(_: Callable[[], None]) -> str:
        raise TimeoutError("from the share")

    assert patient_share.run(lambda _: "answer") == "answer"
    with pytest.raises(TimeoutError, match="from the share"):
        patient_share.run(fail)


def test_share_that_does_not_respond_is_not_waited_for(share: Share) -> None:
    with pytest.raises(NotRespondingError) as error:
        share.run(share.block)
    assert error.value.place == share.place


def test_number_of_hung_threads_is_limited_until_the_share_responds(share: Share) -> None:
    for _ in range(MAX_HUNG_PER_MOUNT):
        with pytest.raises(NotRespondingError):
            share.run(share.block)
    with pytest.raises(NotRespondingError):
        share.run(lambda _: "not tried")
    share.respond()
    assert share.run(lambda _: "answer") == "answer"


def test_slow_share_that_keeps_responding_is_waited_for(tmp_path: Path) -> None:
    share = Share(tmp_path / "share", silent_s=1)

    def slow(note_response: Callable[[], None]) -> str:
        for _ in range(30):
            share.go_on.wait(0.05)
            note_response()
        return "answer"

    assert share.run(slow) == "answer"
    share.respond()


def test_scan_rejects_a_silent_share_and_finds_the_other_files(
    share: Share, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "healthy").write_text("a\n")
    share.hang_at_stat(monkeypatch)
    paths = [f"{share.place}/{number}" for number in range(20)] + [str(tmp_path / "healthy")]
    found = scan(paths, recursive=True, cancelled=lambda: False, on_found=lambda _: None, shares=share.access)
    assert found.files.paths == [str(tmp_path / "healthy")]
    reason = Reason(ReasonCode.SHARE_SILENT, {"place": share.place})
    assert found.refused == tuple(Refusal(path, reason) for path in paths[:-1])
    assert {kind_of(refusal) for refusal in found.refused} == {RefusalKind.NETWORK}


def test_scan_of_a_silent_share_can_be_stopped(
    patient_share: Share, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    patient_share.hang_at_stat(monkeypatch, stop.set)
    found = scan(
        [f"{patient_share.place}/a"],
        recursive=True,
        cancelled=stop.is_set,
        on_found=lambda _: None,
        shares=patient_share.access,
    )
    assert (found.cancelled, found.refused) == (True, ())


def test_scan_of_a_share_gives_the_same_result_as_of_a_local_folder(patient_share: Share, tmp_path: Path) -> None:
    for folder in ("share/a", "share/b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text("x")
    (tmp_path / "first").write_text("x")
    paths = [str(tmp_path / "first"), f"{patient_share.place}/a", patient_share.place, f"{patient_share.place}/gone"]
    results = [
        scan(paths, recursive=True, cancelled=lambda: False, on_found=lambda _: None, shares=shares)
        for shares in (patient_share.access, ShareAccess(MountTable(dict)))
    ]
    assert results[0] == results[1]
    assert results[0].folders == results[1].folders


@pytest.mark.skipif(os.name == "nt", reason="desktops mount network locations on Linux")
@pytest.mark.parametrize(("folder", "address"), [("gvfs", "smb://nas/in/a"), ("kio-fuse-AbC123", "mtp:/Phone/a")])
def test_scan_does_not_wait_for_a_network_location_whose_mount_does_not_respond(
    folder: str, address: str, share: Share, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    mount = Share(tmp_path / folder)
    monkeypatch.setattr(scanning, "mounted_path", lambda _: mount.block(lambda: None))
    mount.go_on = share.go_on  # which the fixture sets
    found = scan([address], recursive=True, cancelled=lambda: False, on_found=lambda _: None, shares=mount.access)
    reason = Reason(ReasonCode.SHARE_SILENT, {"place": mount.place})
    assert found.refused == (Refusal(address, reason),)
