"""Which language a person has chosen for the window, if any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.errors import SettingsError
from desktop_app.paths import find_home
from desktop_app.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping


def chosen_language(environment: Mapping[str, str]) -> str:
    """A code such as `de` or `de_AT`; empty for the system's language.

    Asked before anything else, since whatever stands in the way of a start is said in that language: settings that
    can't be read choose none.

    Args:
        environment: Usually `os.environ`: FILEMILL_LANGUAGE comes before the settings.
    """
    named = environment.get("FILEMILL_LANGUAGE", "").strip()
    if named:
        return named
    try:
        return load_settings(find_home().settings_file).language.strip()
    except SettingsError:
        return ""
