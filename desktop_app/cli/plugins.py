"""The command `filemill plugins`, which lists plug-ins, and allows or forbids them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from desktop_app.cli.output import emit, is_confirmed, quoted, say
from desktop_app.cli.parser import Command
from desktop_app.domain.errors import KnownError, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from desktop_app.services.plugins import Plugin, Plugins


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object per line for each plug-in")
    parser.add_argument("--yes", action="store_true", help="allow the plug-in without asking")


def _plugins(options: Namespace) -> int:
    from desktop_app.config.paths import find_home
    from desktop_app.services.plugins import Plugins

    home = find_home()
    home.create()
    plugins = Plugins(home.folder)
    plugins.create_folder()
    match options.names:
        case []:
            _list(plugins, as_json=options.json)
            return 0
        case ["allow", name]:
            return _allow(plugins, plugins.find(name), is_agreed=options.yes)
        case ["forbid", name]:
            plugin = plugins.find(name)
            plugins.forbid(plugin)
            emit(f"The plug-in {quoted(plugin.name)} is not used any more.")
            return 0
    raise UsageError("Give nothing, allow NAME or forbid NAME. See `filemill plugins --help`.")


def _list(plugins: Plugins, *, as_json: bool) -> None:
    found = plugins.all()
    for plugin in found:
        if as_json:
            emit(json.dumps(_record(plugin)))
        else:
            emit(f"{plugin.name}: {plugin.consent}{': ' if plugin.problem else ''}{plugin.problem}")
            emit(f"    {plugin.file}")
            emit(f"    SHA-256 {plugin.code.digest or 'unknown'}")
    if not found and not as_json:
        say(f"There are no plug-ins. Copy them into the folder {plugins.folder}.")


def _record(plugin: Plugin) -> dict[str, object]:
    known = plugin.processor
    return {
        "name": plugin.name,
        "kind": plugin.code.kind,
        "file": plugin.file,
        "sha256": plugin.code.digest,
        "consent": plugin.consent,
        "problem": str(plugin.problem),
        "title": None if known is None else known.title,
        "version": None if known is None else known.version,
    }


def _allow(plugins: Plugins, plugin: Plugin, *, is_agreed: bool) -> int:
    from desktop_app.services.plugins import WARNING

    for line in (plugin.file, f"SHA-256 {plugin.code.digest or 'unknown'}", WARNING):
        say(str(line))
    if not is_agreed and not is_confirmed(
        "Allow this plug-in?", if_nobody="Nobody can be asked here; --yes allows the plug-in."
    ):
        raise KnownError("The plug-in was not allowed.")
    allowed = plugins.allow(plugin)
    if allowed.processor is None:
        raise KnownError(f"The plug-in is allowed, but can't be used: {allowed.problem}")
    emit(f"Allowed. Use it with `filemill submit --processor {allowed.name}`.")
    return 0


PLUGINS = Command(
    name="plugins",
    usage="[--json] [allow [--yes] NAME|FILE | forbid NAME|FILE]",
    summary="show plug-ins, and allow or forbid them",
    details="Plug-ins are Python files in the folder `plugins` of the home folder, or come with installed packages.\n"
    "They are used only after they have been allowed, and only as long as they do not change.",
    names="NAME",
    add_options=_options,
    run=_plugins,
)
