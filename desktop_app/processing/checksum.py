"""Compute the checksums of files, and compare them with lists of checksums.

The checksums that a file should have are pasted by the user, or found in lists beside the file. If several kinds are
listed, those of the chosen algorithms are compared; otherwise the strongest one.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import Field, Option
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import display_text, mark, shortened
from desktop_app.processing.checksum_lists import (
    ChecksumList,
    ChecksumLists,
    Expected,
    expected_from,
    is_list,
    parse_list,
)
from desktop_app.processing.processor import Cancelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from desktop_app.domain.fields import Value
    from desktop_app.processing.processor import Limits, Watch
    from desktop_app.sources.local import Source

_TITLES = {"sha256": "SHA-256", "sha1": "SHA-1", "md5": "MD5"}
"""The algorithms, strongest first."""
_ALGORITHMS = (*_TITLES.values(), mark("All"))
_ALL = "all"
_BESIDE, _NONE = "beside", "none"
_REPORT, _FAIL = "report", "fail"
_LONGEST_NAME = 255


class ChecksumProcessor:
    """Computes the checksums of any file. The lists that were read are shared by all threads."""

    name = "checksum"
    version = 1
    title = mark("Checksums")
    fields = (
        *(Field(algorithm, str, title) for algorithm, title in _TITLES.items()),
        Field("verified", bool, mark("Verified")),
        Field("listed_in", str, mark("Listed in")),
        Field("listed_files", int, mark("Listed files")),
        Field("missing_files", int, mark("Missing files")),
        Field("first_missing", str, mark("First missing file")),
    )
    options: tuple[Option, ...] = (
        Option(
            "algorithm",
            "sha256",
            mark("Algorithm"),
            choices=(*_TITLES, _ALL),
            choice_titles=_ALGORITHMS,
        ),
        Option(
            "expected",
            "",
            mark("Expected checksums"),
            hint=mark("A list such as sha256sum writes, or one checksum. Files that do not match fail."),
            is_long=True,
        ),
        Option(
            "lists",
            _BESIDE,
            mark("Compare with lists"),
            choices=(_BESIDE, _NONE),
            choice_titles=(mark("Beside the files"), mark("No lists")),
            hint=mark("They are named like SHA256SUMS or NAME.md5, in the folder of a file or one above it."),
        ),
        Option(
            "must_be_listed",
            False,
            mark("Every file must be listed"),
            hint=mark("Files for which there is no checksum to compare with fail, except lists themselves."),
        ),
        Option(
            "missing_files",
            _FAIL,
            mark("Lists that name missing files"),
            choices=(_FAIL, _REPORT),
            choice_titles=(mark("Fail"), mark("Only report")),
            hint=mark(
                "A list that is processed itself fails if files that it names are missing, or only reports them."
            ),
        ),
    )
    limits: Limits | None = None
    unavailable = ""

    def __init__(self) -> None:
        self._lists = ChecksumLists()

    def accepts(self, path: str) -> bool:  # noqa: ARG002 - see `Processor.accepts`
        """Return True: this processor accepts every file."""
        return True

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
        """Compute and compare the checksums; see `Processor.process`."""
        algorithm = str(options["algorithm"])
        algorithms = [*_TITLES] if algorithm == _ALL else [algorithm]
        is_pasted, uses_lists = bool(str(options["expected"]).strip()), options["lists"] == _BESIDE
        expected = _to_compare(self._expected(source.path, options, watch), algorithms)
        hashes = {
            kind: hashlib.new(kind, usedforsecurity=False)
            for kind in _TITLES
            if kind in algorithms or any(one.kind == kind for one in expected)
        }
        updates = [digest.update for digest in hashes.values()]
        for chunk in source.chunks():
            for update in updates:
                update(chunk)
        values: dict[str, Value] = {kind: digest.hexdigest() for kind, digest in hashes.items()}
        if expected and expected[0].listed_in:
            values["listed_in"] = _shown(expected[0].listed_in)
        for one in expected:
            _compare(one, values)
        if expected or ((is_pasted or uses_lists) and not is_list(source.path)):
            values["verified"] = bool(expected)
        if uses_lists and not is_pasted:
            values |= self._missing(source.path, watch)
        if values.get("missing_files") and options["missing_files"] == _FAIL:
            numbers = f"{values['missing_files']} of {values['listed_files']} listed files are missing"
            why = f"{numbers}; the first one is “{values['first_missing']}”"
            raise FileError(Reason(ReasonCode.NOT_VERIFIED, {"why": why}), values=values)
        return values

    def _expected(self, path: str, options: Mapping[str, Value], watch: Watch) -> list[Expected]:
        """Return the checksums that a file should have.

        Raises:
            FileError: If there are none although there must be, or they can't be read.
        """
        expected: list[Expected] = []
        if pasted := str(options["expected"]).strip():
            expected = expected_from(_pasted(pasted), path)
        elif options["lists"] == _BESIDE:
            watch.on_access(begins=True)
            try:
                expected = self._lists.expected(path)
            finally:
                watch.on_access(begins=False)
        if options["must_be_listed"] and not expected and not is_list(path):
            raise FileError(Reason(ReasonCode.NOT_VERIFIED, {"why": "no list contains a checksum for it"}))
        return expected

    def _missing(self, path: str, watch: Watch) -> Mapping[str, Value]:
        """Return the fields about the files that a list names; none if the file is no list."""
        listed = self._lists.listed_files(path)
        folder = os.path.dirname(path)  # noqa: PTH120
        missing, first = 0, ""
        for name in listed:
            if watch.cancelled():
                raise Cancelled
            watch.on_access(begins=True)
            is_there = os.path.lexists(os.path.join(folder, name))  # noqa: PTH118 - keep a name such as "a//b"
            watch.on_access(begins=False)
            if not is_there:
                missing += 1
                first = first or _shown(name)
        if not missing:
            return {"listed_files": len(listed), "missing_files": 0} if listed else {}
        return {"listed_files": len(listed), "missing_files": missing, "first_missing": first}


@lru_cache(maxsize=8)
def _pasted(text: str) -> ChecksumList:
    """Return a pasted list, which contains nothing but checksums.

    Raises:
        FileError: If a line is something else.
    """
    found = parse_list(text)
    why = ""
    if found.bad_line:
        why = f"line {found.bad_line} of the expected checksums is not an SHA-256, SHA-1 or MD5 checksum"
    elif not found.by_name and not found.bare:
        why = "the expected checksums contain none"
    elif found.bare and (found.by_name or len(found.bare) > 1):
        why = "an expected checksum without a file name must be the only one"
    if why:
        raise FileError(Reason(ReasonCode.BAD_OPTIONS, {"why": why}))
    return found


def _to_compare(expected: Sequence[Expected], algorithms: Sequence[str]) -> list[Expected]:
    """Return the expected checksums of the chosen algorithms; if there are none, those of the strongest one."""
    kinds = {one.kind for one in expected}
    chosen = kinds.intersection(algorithms) or set([kind for kind in _TITLES if kind in kinds][:1])
    return [one for one in expected if one.kind in chosen]


def _compare(expected: Expected, values: Mapping[str, Value]) -> None:
    found = str(values[expected.kind])
    if expected.checksum == found:
        return
    values = {**values, "verified": False}
    arguments = {"kind": _TITLES[expected.kind], "expected": expected.checksum, "found": found}
    if not expected.listed_in:
        raise FileError(Reason(ReasonCode.MISMATCH, arguments), values=values)
    arguments["list"] = _shown(expected.listed_in)
    raise FileError(Reason(ReasonCode.LIST_MISMATCH, arguments), values=values)


def _shown(name: str) -> str:
    return shortened(display_text(name), _LONGEST_NAME)
