"""The command `filemill preset`, which shows, tries and changes the commands that files can be processed with."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.cli.output import counted, emit, is_confirmed, quoted, say
from desktop_app.cli.parser import Command
from desktop_app.domain.errors import KnownError, UsageError
from desktop_app.domain.sentences import command_line, display_text

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

    from desktop_app.config.presets import Preset
    from desktop_app.services.command_trial import Trial

_SHOWN_LINES = 20


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="import the commands without asking")


def _preset(options: Namespace) -> int:
    action, *names = options.names or [""]
    if action not in _ACTIONS:
        raise UsageError(f"Name what to do: {', '.join(_ACTIONS)}. See `filemill preset --help`.")
    act, wanted = _ACTIONS[action]
    if wanted is not None and len(names) != len(wanted):
        usage = " ".join(("filemill preset", action, *wanted))
        raise UsageError(f"The usage is `{usage}`.")
    return act(names, options)


def _settings_file() -> Path:
    from desktop_app.config.paths import find_home

    home = find_home()
    home.create()
    return home.settings_file


def _load() -> dict[str, Preset]:
    """Return the presets, and report those that are not valid."""
    from desktop_app.config.presets import load_presets

    presets = load_presets(_settings_file())
    for problem in presets.problems:
        say(problem.text)
    return presets.valid


def _find(name: str) -> Preset:
    known = _load()
    name = name.removeprefix("command:")
    if name not in known:
        there_are = f" There are: {', '.join(known)}." if known else ""
        raise UsageError(f"There is no command {quoted(name)}.{there_are}")
    return known[name]


def _list(_: Sequence[str], __: Namespace) -> int:
    for preset in _load().values():
        emit(f"{preset.processor}: {preset.shown_title}")
    return 0


def _show(names: Sequence[str], _: Namespace) -> int:
    from desktop_app.config.presets import preset_text

    emit(preset_text([_find(names[0])]).rstrip("\n"))
    return 0


def _try(names: Sequence[str], _: Namespace) -> int:
    from desktop_app.services.command_trial import try_preset

    preset = _find(names[0])
    with closing(try_preset(preset, os.path.abspath(names[1]))) as trial:  # noqa: PTH100 - keeps "a//b" and links
        _show_trial(trial)
    return 0 if trial.reason is None else 1


def _show_trial(trial: Trial) -> None:
    emit(f"Runs: {_shown(trial.argv)}")
    if trial.end is not None:
        for title, text in (("Prints", trial.end.out), ("Prints to standard error", trial.end.err)):
            lines = text.splitlines()
            if lines:
                emit(f"{title}:")
            for line in lines[-_SHOWN_LINES:]:
                emit(f"    {display_text(line)}")
        emit(f"Ends with exit code {trial.end.code} after {trial.end.seconds:.1f} s")
    for name, value in trial.values.items():
        emit(f"Result: {name} = {value}")
    for file in trial.files:
        emit(f"Writes: {display_text(file)}")
    emit("The file would be PROCESSED." if trial.reason is None else f"The file would be FAILED: {trial.reason}")


def _import(names: Sequence[str], options: Namespace) -> int:
    from desktop_app.config.presets import read_preset_file

    presets = read_preset_file(Path(names[0]))
    known = _load()
    for preset in presets:
        _say_what_it_runs(preset, replaces=preset.name in known)
    if not options.yes and not is_confirmed(
        "Add this to the commands of this computer?",
        if_nobody="Look at what the commands run, then add --yes to import them.",
    ):
        return 1
    return _save(presets)


def _say_what_it_runs(preset: Preset, *, replaces: bool) -> None:
    replacing = ", replaces the one of this name" if replaces else ""
    say(f"{quoted(preset.shown_title)} ({preset.processor}{replacing}) runs:")
    say(f"    {_shown(preset.argv)}")
    if preset.output:
        say(f"    and writes into {preset.output}{', replacing files' if preset.conflict == 'replace' else ''}")
    if preset.environment:
        say(f"    with the variables {', '.join(preset.environment)}")


def _shown(argv: Sequence[str]) -> str:
    return display_text(command_line([*argv]))


def _save(presets: Sequence[Preset]) -> int:
    from desktop_app.config.presets import save_preset

    file = _settings_file()
    for preset in presets:
        save_preset(file, preset)
    emit(f"Added {counted(len(presets), 'command')}: {', '.join(preset.processor for preset in presets)}.")
    return 0


def _export(names: Sequence[str], _: Namespace) -> int:
    from desktop_app.config.atomic_write import write_whole
    from desktop_app.config.presets import preset_text

    text = preset_text([_find(names[0])])
    write_whole(Path(names[1]), lambda stream: stream.write(text), replace=False)
    return 0


def _remove(names: Sequence[str], _: Namespace) -> int:
    from desktop_app.config.presets import remove_preset

    name = names[0].removeprefix("command:")
    if not remove_preset(_settings_file(), name):
        raise UsageError(f"There is no command {quoted(name)}.")
    return 0


def _offered(_: Sequence[str], __: Namespace) -> int:
    from desktop_app.config.presets import offered_presets

    for preset in offered_presets(_load()):
        emit(f"{preset.name}: {preset.shown_title}")
        emit(f"    {_shown(preset.argv)}")
    return 0


def _add_offered(names: Sequence[str], _: Namespace) -> int:
    from desktop_app.config.presets import offered_presets

    offered = {preset.name: preset for preset in offered_presets(_load())}
    missing = [name for name in names if name not in offered]
    if missing:
        raise KnownError(
            f"{quoted(missing[0])} is not offered: its program is not installed, or there is a command of this name."
        )
    return _save([offered[name] for name in names or offered])


_ACTIONS: dict[str, tuple[Callable[[Sequence[str], Namespace], int], tuple[str, ...] | None]] = {
    "list": (_list, ()),
    "show": (_show, ("NAME",)),
    "try": (_try, ("NAME", "FILE")),
    "import": (_import, ("FILE",)),
    "export": (_export, ("NAME", "FILE")),
    "remove": (_remove, ("NAME",)),
    "offered": (_offered, ()),
    "add-offered": (_add_offered, None),
}
"""What each action does, and its arguments; None if there can be any number."""

PRESET = Command(
    name="preset",
    usage="[--yes] ACTION [NAME] [FILE]",
    names="ACTION",
    summary="show, try and change the commands that files can be processed with",
    details="The commands are in settings.toml, as tables [[command]] with a name, argv and other keys, and belong to "
    "this computer. Choose one with `filemill submit --processor command:NAME`.\n\n"
    "`list`, `show NAME`: show them. `try NAME FILE`: run one for a file, and show what is run, what it prints, and "
    "its result; the file does not have to be on the list.\n\n"
    "`export NAME FILE`, `import FILE`: copy a command to a file and from a file, after a look at what it runs. "
    "`remove NAME`: remove it.\n\n"
    "`offered`, `add-offered [NAME …]`: show and add commands for programs that are installed.",
    add_options=_options,
    run=_preset,
)
