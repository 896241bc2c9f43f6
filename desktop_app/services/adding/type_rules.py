"""The rules by which the processor for a file is chosen by its type.

Each line of the setting `type_rules` has patterns as in the review of added files, an arrow, and the name of a
processor: `*.csv; *.tsv => table`. The first rule with a pattern that matches the name of the file applies.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from desktop_app.domain.fields import DEFAULT_PROCESSOR, PROCESSOR_NAME
from desktop_app.services.adding.review import only

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ARROW = "=>"


class TypeRule(NamedTuple):
    """A rule: the patterns as typed, and the name of the processor."""

    patterns: str
    processor: str


class TypeRules:
    """Chooses processors by file types.

    Args:
        text: The setting `type_rules`. Lines that are not rules are ignored.
    """

    def __init__(self, text: str) -> None:
        self.rules = tuple(_read(text))
        self._conditions = [(only(rule.patterns), rule.processor) for rule in self.rules]

    def processor_of(self, path: str) -> str:
        """Return the name of the processor for a path."""
        name = os.path.basename(path)  # noqa: PTH119 - keep surrogates
        for matches, processor in self._conditions:
            if matches is not None and matches(name):
                return processor
        return DEFAULT_PROCESSOR


def written(rules: Iterable[TypeRule]) -> str:
    """Return rules as the setting `type_rules`. Rules without patterns are left out."""
    return "\n".join(f"{rule.patterns.strip()} {_ARROW} {rule.processor}" for rule in rules if rule.patterns.strip())


def _read(text: str) -> Iterator[TypeRule]:
    for line in text.splitlines():
        patterns, arrow, processor = line.partition(_ARROW)
        if arrow and patterns.strip() and PROCESSOR_NAME.fullmatch(processor.strip()):
            yield TypeRule(patterns.strip(), processor.strip())
