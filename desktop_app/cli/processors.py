"""The command `filemill processors`, which lists what can be done to files."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

from desktop_app.cli.output import emit
from desktop_app.cli.parser import Command

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from desktop_app.processing.command import CommandProcessor
    from desktop_app.processing.processor import Processor


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object per line for each processor")


def _processors(options: Namespace) -> int:
    from desktop_app.bootstrap import build_registry, open_program

    with closing(open_program()) as program:
        for processor in build_registry(program):
            if options.json:
                emit(json.dumps(_record(processor)))
            else:
                emit(f"{processor.name}: {processor.title}")
                for option in processor.options:
                    choices = f" ({', '.join(option.choices)})" if option.choices else ""
                    emit(f"    --option {option.name}={option.default}: {option.title}{choices}")
                if processor.fields:
                    emit(f"    results: {', '.join(field.name for field in processor.fields)}")
    return 0


def _record(processor: Processor | CommandProcessor) -> dict[str, object]:
    return {
        "name": processor.name,
        "version": processor.version,
        "title": processor.title,
        "options": {option.name: option.default for option in processor.options},
        "fields": {field.name: field.kind.__name__ for field in processor.fields},
    }


PROCESSORS = Command(
    name="processors",
    usage="[--json]",
    summary="show what can be done to files",
    details="Choose one with `filemill submit --processor NAME`.",
    add_options=_options,
    run=_processors,
)
