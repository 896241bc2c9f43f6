"""Determine which queue a connection leads to, by what boto3 resolves. Makes no requests and runs no other program."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import BotoCoreError, InvalidConfigError, NoRegionError
from botocore.utils import is_valid_endpoint_url, is_valid_ipv6_endpoint_url, validate_region_name

from desktop_app.domain.queue_key import old_place_and_name, place_of
from desktop_app.queues.routes import profile_endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_app.config.settings import Connection
    from desktop_app.queues.routes import Table

_USUAL_REGION = "us-east-1"
"""The region in which requests to a server other than AWS are signed if none is set."""
_ACCOUNT_IN_ARN = re.compile(r"arn:[\w-]+:(?:iam|sts)::(\d{12}):")
_PROBLEMS = (BotoCoreError, OSError, ValueError)


def session_of(connection: Connection) -> botocore.session.Session:
    """Return a botocore session for a connection's profile; with keys of its own, no profile applies to it."""
    session = botocore.session.Session(profile=connection.profile or None)
    if connection.has_own_keys:
        # Not `Session.set_config_variable`, with which botocore would still use the profile in AWS_PROFILE.
        session.get_component("config_store").set_config_variable("profile", None)
    return session


def resolve(typed: Connection) -> Connection:
    """Return a connection with the profile, region, endpoint and account that boto3 determines.

    If boto3 can't determine them, because the profile does not exist or no region is set, the connection is returned
    unchanged.
    """
    if typed.is_local:
        return typed
    try:
        session = session_of(typed)
        region, endpoint_url = _resolved_place(session, typed)
        account = typed.account or _configured_account(session.get_scoped_config())
    except _PROBLEMS:
        return typed
    resolved = replace(
        typed, profile=session.profile or "", region=region, endpoint_url=endpoint_url, account=account, typed=typed
    )
    # Servers other than AWS choose the account themselves, and the keys in environment variables are of any account.
    return replace(resolved, account=typed.account) if resolved.place[0] or typed.access_keys else resolved


def _resolved_place(session: botocore.session.Session, typed: Connection) -> tuple[str, str]:
    """Return the region, and the endpoint URL if it is not the default of the region.

    No client is created for this, since loading the service model would delay the start of the program.

    Raises:
        BotoCoreError: If boto3 can't use the region or the configuration, or no region is set.
        ValueError: If boto3 can't use the endpoint URL.
    """
    region = typed.region or session.get_config_variable("region")
    url = typed.endpoint_url
    if not url and not session.get_config_variable("ignore_configured_endpoint_urls"):
        configured = next(profile_endpoints(session.get_scoped_config(), session.full_config), None)
        parts = urlsplit(configured.url if configured else "")
        # A user name or password in the URL would be shown and logged.
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if not url and not region:
        raise NoRegionError
    validate_region_name(region)
    if url and not (is_valid_endpoint_url(url) or is_valid_ipv6_endpoint_url(url)):
        raise ValueError(url)
    return region or _USUAL_REGION, url


def _configured_account(profile: Table) -> str:
    """Return the account of a profile's credentials if its configuration names the account; otherwise empty."""
    for name in ("role_arn", "login_session"):
        if name in profile:
            found = _ACCOUNT_IN_ARN.match(str(profile[name]))
            return found[1] if found else ""
    return str(profile.get("sso_account_id") or profile.get("aws_account_id") or "")


def unanswered_keys(connection: Connection) -> set[str]:
    """Return the keys that files of a connection's queue could have been given before the queue responded.

    Without the account, a queue is known by its name and by the credentials that lead to it. The keys differ in
    whether the user or the profile determined the region and the endpoint, and in whether boto3 could find them out.

    Args:
        connection: A connection from `resolve`.
    """
    typed = replace(connection.entered, queue=connection.queue_name, profile=connection.profile)
    session = session_of(connection)
    profile = session.get_scoped_config()
    configured = _configured_endpoint(profile, session.full_config)
    found = {replace(connection, typed=replace(typed, endpoint_url=connection.endpoint_url)).unanswered_key}
    if place_of(configured, connection.region) == connection.place:
        found.add(replace(connection, typed=replace(typed, endpoint_url="")).unanswered_key)
    region = str(profile.get("region", ""))
    if not region or place_of(typed.endpoint_url or configured, region) == connection.place:
        found.add(replace(typed, region="").unanswered_key)
    return found | {connection.unanswered_key}


def _configured_endpoint(profile: Table, tables: Table) -> str:
    """Return the endpoint URL for SQS in a profile's configuration; empty if there is none that boto3 can use."""
    try:
        return next((endpoint.url for endpoint in profile_endpoints(profile, tables)), "")
    except InvalidConfigError:
        return ""


def means(old_key: str, connection: Connection) -> bool:
    """Return whether a key of Filemill 0.1.0 can only mean a connection's queue.

    Such a key contains what the user had typed. It is compared with the places to which it leads with each profile in
    the AWS configuration.
    """
    old = old_place_and_name(old_key)
    if old is None or old[1] != connection.queue_name:
        return False
    return set(_places(old[0], connection)) == {connection.place}


def _places(old_place: str, connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield the servers and regions to which the place in an old key leads, each possibly several times."""
    if "://" in old_place and not place_of(old_place, "")[0]:
        yield place_of(old_place, "")
        return
    tables = botocore.session.Session().full_config
    profiles: dict[str, Table] = tables.get("profiles", {})
    regions = {str(profile["region"]) for profile in profiles.values() if profile.get("region")}
    if "://" in old_place:
        typed = {connection.entered.region} - {""}
        for region in regions | typed or {_USUAL_REGION}:
            yield place_of(old_place, region)
        return
    for profile in [*profiles.values(), *([] if profiles else [{}])]:
        region = str(profile.get("region", "")) if old_place == "aws" else old_place
        endpoint_url = _configured_endpoint(profile, tables)
        if region or endpoint_url:
            yield place_of(endpoint_url, region or _USUAL_REGION)
