"""Processors for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.domain.fields import Field, Option, Value
from desktop_app.processing.lines import LineProcessor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.processing.processor import Limits, Processor, Watch
    from desktop_app.sources.local import Source


class WordProcessor:
    """Counts a word; has an option of each kind."""

    name = "words"
    version = 3
    title = "Words & phrases"
    fields: tuple[Field, ...] = (Field("words", int, "Words"), Field("first", str, "First word"))
    options: tuple[Option, ...] = (
        Option("word", "a", "Word"),
        Option("list", "", "More words", is_long=True),
        Option("case", True, "Match case", hint="A and a are different words."),
        Option("most", 10, "Most", least=1, most=50),
        Option("share", 0.5, "Share", most=1),
        Option("kind", "all", "Kind", choices=("all", "first")),
    )
    limits: Limits | None = None
    unavailable = ""

    def accepts(self, path: str) -> bool:
        return not path.endswith(".bin")

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
        words = b"".join(source.chunks()).decode().split()
        return {"words": words.count(str(options["word"])), "first": words[0] if words else ""}


PROCESSORS: tuple[Processor, ...] = (LineProcessor(), WordProcessor())
