"""Secrets are masked in all notations; useful information is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.services.support.masking import Masked, Masker, masker_for, secrets_of

if TYPE_CHECKING:
    from pathlib import Path

# Example keys from Amazon's documentation.
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEJr" + "aB3/xY9+" * 40 + "=="


def hidden(text: str) -> str:
    return Masker().mask(text, names=False)


@pytest.mark.parametrize(
    "secret",
    [
        KEY_ID,
        KEY_ID.replace("AKIA", "ASIA"),
        SECRET_KEY,
        TOKEN,
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----",
    ],
)
@pytest.mark.parametrize("around", ["{}", "key: {}", "said '{}' and", '"{}"', "[{}]", "x={}&y=1", "({}),"])
def test_key_or_token_is_found_wherever_it_stands(secret: str, around: str) -> None:
    masked = hidden(around.format(secret))
    assert secret not in masked
    assert secret[:24] not in masked
    assert "[secret]" in masked


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("aws_secret_access_key = short1", "short1"),
        ('{"SecretAccessKey": "short1"}', "short1"),
        ("AWS_SESSION_TOKEN=short1", "short1"),
        ("password: short1", "short1"),
        ("?X-Amz-Signature=0a1b2c3d&x", "0a1b2c3d"),
        ("?X-Amz-Credential=AKIAX/2026/eu&x", "AKIAX"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=a/b, Signature=c0ffee", "c0ffee"),
        ("http://anna:hush@proxy:8080/", "hush"),
        ("https://token1@host/", "token1"),
    ],
)
def test_value_with_a_secret_name_is_masked(text: str, secret: str) -> None:
    assert secret not in hidden(text)


@pytest.mark.parametrize(
    "text",
    [
        "job 0c8b3f1e-0000-4000-8000-000000000001: sent",
        "digest da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "2026-11-24T09:28:11.123Z INFO    [4120 sender] desktop_app.services.sending.sender: goes on",
        "sqs.eu-west-1.amazonaws.com does not answer: trying again in 12 s",
        "GetQueueAttributes: AWS.SimpleQueueService.NonExistentQueue",
        "1764000000000 ms",
        'File "[program]/desktop_app/gui/tasks.py", line 105, in run',
        'File "<frozen importlib._bootstrap>", line 1, in x',
        "queue = 'orders.fifo'",
        "The queue “orders.fifo” does not exist",
    ],
)
def test_useful_text_is_kept(text: str) -> None:
    assert hidden(text) == text


def test_known_secrets_are_masked_in_any_text() -> None:
    masker = Masker(secrets=secrets_of({"AWS_SECRET_ACCESS_KEY": "plainword", "MY_TOKEN": "abc", "AWS_REGION": "eu"}))
    assert masker.mask("it said plainword, abc, eu", names=True) == "it said [secret], abc, eu"
    assert masker.counts[Masked.SECRETS] == 1


def test_same_account_gets_the_same_mask_and_others_get_another() -> None:
    masker = Masker()
    text = "arn:aws:sqs:eu-west-1:123456789012:q https://x/210987654321/q my-123456789012"
    expected = "arn:aws:sqs:eu-west-1:[account 1]:q https://x/[account 2]/q my-[account 1]"
    assert masker.mask(text, names=True) == expected
    assert masker.mask("210987654321", names=True) == "[account 2]"


def test_home_user_and_computer_are_masked() -> None:
    masker = Masker(
        people=("anna", "annas-pc"), folders={"/home/anna/.local/share/Filemill": "[data]", "/home/anna": "~"}
    )
    text = "/home/anna/.local/share/Filemill/x /home/anna/in/a.txt anna on ANNAS-PC wrote to anna@example.org; joanna"
    assert masker.mask(text, names=True) == "[data]/x ~/in/a.txt [name] on [name] wrote to [e-mail]; joanna"


def test_folder_in_pythons_quotes_and_with_forward_slashes_is_masked() -> None:
    masker = Masker(folders={"C:\\Users\\Anna": "~"})
    assert masker.mask(r"C:\Users\Anna\x 'C:\\Users\\Anna\\x' C:/Users/Anna/x", names=True) == r"~\x '~\\x' ~/x"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("“/in/my report.txt” is gone", "“[path]” is gone"),
        ("[Errno 2] No such file: '/in/a b.txt'", "[Errno 2] No such file: '[path]'"),
        ("opened /data/x/y.csv, then", "opened [path], then"),
        ("opened ~/in/y.csv.", "opened [path]."),
        (r"opened C:\in\y.csv", "opened [path]"),
        ("opened /in/my merger plan.txt, then", "opened [path], then"),
        ("opened /in/y.csv. Then it ended.", "opened [path]. Then it ended."),
        ("“notes.txt” can't be written", "“[path]” can't be written"),
        ("at https://sqs.eu-west-1.amazonaws.com/x/queue", "at https://sqs.eu-west-1.amazonaws.com/x/queue"),
        ("3/4 and/or n/a", "3/4 and/or n/a"),
    ],
)
def test_paths_are_masked_unless_names_are_included(text: str, masked: str) -> None:
    assert hidden(text) == masked
    assert Masker().mask(text, names=True) == text


def test_names_of_the_list_are_masked() -> None:
    masker = Masker(names=("my secret plan.txt", "Report"))
    assert masker.mask("read my secret plan.txt; Report", names=False) == "read [path]; Report"


def test_masker_of_this_computer_includes_its_secrets_and_users(
    isolated_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (isolated_environment / ".aws").mkdir()
    (isolated_environment / ".aws" / "credentials").write_text(
        f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = oddlyshort\n[x]\nregion = eu-west-1\n",
        encoding="utf-8",
    )
    (isolated_environment / ".aws" / "config").write_text("not an ini file", encoding="utf-8")
    monkeypatch.setattr("platform.node", lambda: "annas-pc.example.org")
    monkeypatch.setattr("getpass.getuser", lambda: "anna")
    masker = masker_for({"HTTP_PASSWORD": "hushhush"}, isolated_environment / "filemill")
    text = f"oddlyshort hushhush eu-west-1 anna annas-pc {isolated_environment}/x {isolated_environment}/filemill/y"
    assert masker.mask(text, names=True) == "[secret] [secret] eu-west-1 [name] [name] ~/x [data]/y"
