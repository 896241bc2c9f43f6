"""The profiles of the user's AWS configuration, and the errors in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.connection_checks import ProfileKind
from desktop_app.queues.profiles import read_profiles, sign_in_command

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[default]
region = eu-west-1
[profile sso]
sso_session = corp
sso_account_id = 1
sso_role_name = Ops
region = eu-central-1
[profile old-sso]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 1
sso_role_name = Ops
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
[sso-session bare]
sso_start_url = https://corp.awsapps.com/start
[profile login]
login_session = arn:aws:iam::123456789012:user/me
[profile role]
role_arn = arn:aws:iam::123456789012:role/Ops
source_profile = sso
[profile machine]
role_arn = arn:aws:iam::123456789012:role/Ops
credential_source = Ec2InstanceMetadata
[profile web]
role_arn = arn:aws:iam::123456789012:role/Ops
web_identity_token_file = /token
[profile program]
credential_process = /usr/bin/keys
[profile self]
role_arn = arn:aws:iam::123456789012:role/Ops
source_profile = self
aws_access_key_id = A
aws_secret_access_key = B
"""
BROKEN = {
    "[profile x]\nrole_arn = r\nsource_profile = base": "Its source profile “base” does not exist.",
    "[profile x]\nrole_arn = r\nsource_profile = y\n[profile y]\nrole_arn = r\nsource_profile = x": (
        "Its source profiles form a loop: x → y → x."
    ),
    "[profile x]\nrole_arn = r\nsource_profile = x": "Its source profiles form a loop: x → x.",
    "[profile x]\nrole_arn = r": "It assumes a role but does not specify the credentials for this (source_profile).",
    "[profile x]\nrole_arn = r\nsource_profile = x\ncredential_source = Environment": (
        "It has both source_profile and credential_source; only one is allowed."
    ),
    "[profile x]\nrole_arn = r\ncredential_source = Moon": "Its credential_source “Moon” is not a valid value.",
    "[profile x]\nrole_arn = r\nsource_profile = y\n[profile y]\naws_access_key_id = A": (
        "Its source profile “y” can't be used: It is missing aws_secret_access_key."
    ),
    "[profile x]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = r": "Its SSO session “gone” does not exist.",
    "[profile x]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_region = r": (
        "It is missing sso_start_url."
    ),
    "[profile x]\nsso_session = s\n[sso-session s]": "It is missing sso_account_id, sso_role_name.",
    "[profile x]\nsso_start_url = u\nsso_account_id = 1\nsso_role_name = r": "It is missing sso_region.",
    "[profile x]\naws_access_key_id = A": "It is missing aws_secret_access_key.",
    "[profile x]\ncredential_process =": "It is missing credential_process.",
    "[profile x]\nlogin_session =": "It is missing login_session.",
}


def write(home: Path, config: str, credentials: str = "") -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(config)
    (home / ".aws" / "credentials").write_text(credentials)


def test_each_profile_has_its_kind(isolated_environment: Path) -> None:
    write(isolated_environment, CONFIG, "[keys]\naws_access_key_id = A\naws_secret_access_key = B\n")
    profiles = read_profiles()
    assert {profile.name: profile.kind for profile in profiles.found} == {
        "default": ProfileKind.NOTHING,
        "sso": ProfileKind.SSO,
        "old-sso": ProfileKind.SSO,
        "login": ProfileKind.LOGIN,
        "role": ProfileKind.ROLE,
        "machine": ProfileKind.ROLE,
        "web": ProfileKind.WEB_IDENTITY,
        "program": ProfileKind.PROCESS,
        "self": ProfileKind.ROLE,
        "keys": ProfileKind.KEYS,
    }
    assert {profile.trouble for profile in profiles.found} == {""}
    sso = profiles.named("sso")
    assert sso is not None
    assert sso.region == "eu-central-1"
    assert profiles.files == tuple(str(isolated_environment / ".aws" / name) for name in ("config", "credentials"))


@pytest.mark.parametrize(("config", "trouble"), BROKEN.items())
def test_invalid_profile_is_listed_with_its_error(isolated_environment: Path, config: str, trouble: str) -> None:
    write(isolated_environment, config)
    profile = read_profiles().named("x")
    assert profile is not None
    assert profile.trouble == trouble


def test_profile_from_the_environment_alone_is_valid(
    isolated_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    write(isolated_environment, "[default]\nregion = eu-west-1")
    assert [profile.name for profile in read_profiles().found] == ["default"]


def test_unreadable_files_are_reported(isolated_environment: Path) -> None:
    write(isolated_environment, "[profile x\nregion")
    profiles = read_profiles()
    assert profiles.found == ()
    assert profiles.trouble.startswith("The AWS configuration can't be read: Unable to parse config file")
    assert sign_in_command("x") == ()


@pytest.mark.parametrize(
    ("profile", "command"),
    [
        ("sso", "aws sso login --profile sso"),
        ("role", "aws sso login --profile sso"),
        ("login", "aws login --profile login"),
        ("program", ""),
        ("gone", ""),
    ],
)
def test_command_that_signs_in_again(isolated_environment: Path, profile: str, command: str) -> None:
    write(isolated_environment, CONFIG)
    assert sign_in_command(profile) == tuple(command.split())


def test_command_of_the_default_profile(isolated_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(isolated_environment, CONFIG)
    assert sign_in_command("") == ()
    monkeypatch.setenv("AWS_PROFILE", "sso")
    assert sign_in_command("") == ("aws", "sso", "login", "--profile", "sso")


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("[profile 'two words']", "two words"),
        ('[profile "it\'s mine"]', "it's mine"),
        ("[profile 'the \"best\"']", 'the "best"'),
        ("[profile $HOME;id]", "$HOME;id"),
        ("[profile Ärger-名前]", "Ärger-名前"),
    ],
)
def test_name_of_the_profile_is_one_argument_of_the_command(
    isolated_environment: Path, section: str, name: str
) -> None:
    write(isolated_environment, f"{section}\nlogin_session = arn:aws:iam::1:user/me\n")
    assert sign_in_command(name) == ("aws", "login", "--profile", name)


def test_name_that_begins_with_a_dash_is_not_taken_for_an_option(isolated_environment: Path) -> None:
    write(isolated_environment, "[profile -x]\nsso_session = corp\n")
    assert sign_in_command("-x") == ("aws", "sso", "login", "--profile=-x")
