"""Read the profiles in the user's AWS configuration, and check them for errors. Makes no requests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.exceptions import BotoCoreError

from desktop_app.domain.connection_checks import Profile, ProfileKind, Profiles
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

Table = dict[str, Any]

_SOURCES = frozenset({"Environment", "Ec2InstanceMetadata", "EcsContainer"})
_SSO_OF_PROFILE = ("sso_account_id", "sso_role_name")
_SSO_OF_SESSION = ("sso_start_url", "sso_region")
_NEEDED = {
    ProfileKind.KEYS: ("aws_access_key_id", "aws_secret_access_key"),
    ProfileKind.PROCESS: ("credential_process",),
    ProfileKind.LOGIN: ("login_session",),
}
_KINDS = {
    "sso_session": ProfileKind.SSO,
    "sso_start_url": ProfileKind.SSO,
    "login_session": ProfileKind.LOGIN,
    "credential_process": ProfileKind.PROCESS,
    "aws_access_key_id": ProfileKind.KEYS,
    "aws_secret_access_key": ProfileKind.KEYS,
}
"""The kind of profile that each setting indicates. The first setting that a profile contains determines its kind."""


def read_profiles() -> Profiles:
    """Return all profiles in the configuration and credentials files. Any thread."""
    session = botocore.session.Session()
    # Otherwise, botocore would also look up the profile in AWS_PROFILE, which may not exist.
    session.set_config_variable("profile", None)
    files = tuple(
        os.path.expanduser(str(session.get_config_variable(name)))  # noqa: PTH111 - as botocore does
        for name in ("config_file", "credentials_file")
    )
    try:
        config: Table = session.full_config
    except (BotoCoreError, OSError, ValueError) as error:
        return Profiles(files=files, trouble=Sentence("The AWS configuration can't be read: {reason}", reason=error))
    tables: dict[str, Table] = config.get("profiles", {})
    sso: dict[str, Table] = config.get("sso_sessions", {})
    return Profiles(tuple(_profile(name, tables, sso) for name in tables), files)


def sign_in_command(profile: str) -> tuple[str, ...]:
    """Return the command for signing in with a profile, as a program and its arguments; empty if there is none.

    Any thread.

    Args:
        profile: The profile's name; empty for the default profile.
    """
    name = profile or os.environ.get("AWS_PROFILE", "") or "default"
    session = botocore.session.Session()
    session.set_config_variable("profile", None)
    try:
        tables: dict[str, Table] = session.full_config.get("profiles", {})
    except (BotoCoreError, OSError, ValueError):
        return ()
    name = _signing_in(name, tables)
    # The AWS CLI would take a name that begins with a dash for an option.
    named = (f"--profile={name}",) if name.startswith("-") else ("--profile", name)
    match _kind(tables.get(name, {})):
        case ProfileKind.SSO:
            return ("aws", "sso", "login", *named)
        case ProfileKind.LOGIN:
            return ("aws", "login", *named)
    return ()


def _signing_in(name: str, tables: Mapping[str, Table]) -> str:
    """Return the name of the profile whose credentials are used. For a role, follow the chain of source profiles."""
    seen = {name}
    while (source := str(tables.get(name, {}).get("source_profile", ""))) and source not in seen:
        seen.add(source)
        name = source
    return name


def _profile(name: str, tables: Mapping[str, Table], sso: Mapping[str, Table]) -> Profile:
    table = tables[name]
    return Profile(name, _kind(table), str(table.get("region", "")), _trouble(name, tables, sso))


def _kind(table: Table) -> ProfileKind:
    if "role_arn" in table:
        return ProfileKind.WEB_IDENTITY if "web_identity_token_file" in table else ProfileKind.ROLE
    return next((kind for key, kind in _KINDS.items() if key in table), ProfileKind.NOTHING)


def _trouble(name: str, tables: Mapping[str, Table], sso: Mapping[str, Table]) -> str:
    table = tables[name]
    kind = _kind(table)
    if kind is ProfileKind.ROLE:
        return _role_trouble(name, tables, sso)
    if kind is ProfileKind.SSO:
        return _sso_trouble(table, sso)
    return _missing(table, _NEEDED.get(kind, ()))


def _role_trouble(name: str, tables: Mapping[str, Table], sso: Mapping[str, Table]) -> str:
    table = tables[name]
    source, place = table.get("source_profile", ""), table.get("credential_source", "")
    if source and place:
        return Sentence("It has both source_profile and credential_source; only one is allowed.")
    if place:
        known = place in _SOURCES
        return "" if known else Sentence("Its credential_source “{name}” is not a valid value.", name=place)
    if not source:
        return Sentence("It assumes a role but does not specify the credentials for this (source_profile).")
    return _source_trouble(name, tables, sso)


def _source_trouble(name: str, tables: Mapping[str, Table], sso: Mapping[str, Table]) -> str:
    """Return the error in a profile's chain of source profiles; empty if there is none."""
    seen = [name]
    while source := str(tables[seen[-1]].get("source_profile", "")):
        if source not in tables:
            return Sentence("Its source profile “{name}” does not exist.", name=source)
        if source == seen[-1] and "aws_access_key_id" in tables[source]:
            return ""  # a profile can name itself as its source, to use its own keys
        if source in seen:
            return Sentence("Its source profiles form a loop: {names}.", names=" → ".join([*seen, source]))
        seen.append(source)
    behind = _trouble(seen[-1], tables, sso) if len(seen) > 1 else ""
    if behind:
        return Sentence("Its source profile “{name}” can't be used: {reason}", name=seen[-1], reason=behind)
    return ""


def _sso_trouble(table: Table, sso: Mapping[str, Table]) -> str:
    missing = _missing(table, _SSO_OF_PROFILE)
    if missing:
        return missing
    session = table.get("sso_session", "")
    if not session:
        return _missing(table, _SSO_OF_SESSION)
    if session not in sso:
        return Sentence("Its SSO session “{name}” does not exist.", name=session)
    return _missing(sso[session], _SSO_OF_SESSION)


def _missing(table: Table, names: tuple[str, ...]) -> str:
    absent = ", ".join(name for name in names if not str(table.get(name, "")).strip())
    return Sentence("It is missing {names}.", names=absent) if absent else ""
