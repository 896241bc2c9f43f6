"""The file that names the running server: complete or not there, and never trusted."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from desktop_app.queues import local_facts
from desktop_app.queues.local_facts import ServerFacts, facts_file, read_facts, remove_facts, write_facts


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}', b"[" * 4000, b"\xff\xfe"])
def test_a_facts_file_that_is_broken_does_not_mislead(tmp_path: Path, content: bytes) -> None:
    facts_file(tmp_path).write_bytes(content)
    assert read_facts(tmp_path) is None


def test_facts_survive_the_file_and_odd_ports_do_not(tmp_path: Path) -> None:
    facts = ServerFacts(1, 2, "token", "http://127.0.0.1:1", "http://127.0.0.1:1/q", "id")
    write_facts(tmp_path, facts)
    assert read_facts(tmp_path) == facts
    for port in (0, -1, 65536, True):
        facts_file(tmp_path).write_text(json.dumps(json.loads(facts.to_line()) | {"control_port": port}))
        assert read_facts(tmp_path) is None


def test_a_facts_file_that_is_being_read_is_replaced_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where an open file can't be replaced or removed."""
    facts = ServerFacts(1, 2, "token", "http://127.0.0.1:1", "http://127.0.0.1:1/q", "id")
    replace, refusals = Path.replace, [PermissionError("in use")] * 2

    def sometimes(self: Path, target: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", sometimes)
    write_facts(tmp_path, facts)
    assert read_facts(tmp_path) == facts
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError("in use")))
        remove_facts(tmp_path, facts)
    assert read_facts(tmp_path) == facts
    remove_facts(tmp_path, dataclasses.replace(facts, instance_id="another"))
    assert read_facts(tmp_path) == facts
    remove_facts(tmp_path, facts)
    assert read_facts(tmp_path) is None
    refusals.extend([PermissionError("in use")] * 1000)
    monkeypatch.setattr(local_facts, "_REPLACE_SECONDS", 0.0)
    with pytest.raises(PermissionError):
        write_facts(tmp_path, facts)
