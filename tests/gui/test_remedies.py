"""Connection problems, each caused by a real fault: the title of the banner and the effect of its first button."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtGui import QGuiApplication

from desktop_app.config.settings import Connection, Settings, load_settings
from desktop_app.domain.errors import Cause, KnownError, StoreBusyError, StoreDamagedError, StoreError, StoreFullError
from desktop_app.domain.job import Status
from desktop_app.gui.connection.status import LoopKind, Mark
from desktop_app.gui.widgets.dialogs import PairsDialog
from desktop_app.queues import credential_program
from desktop_app.services.consuming.foreign_messages import HELD_UP_TITLE, MANY_IN_A_ROW, TOO_MANY_TITLE
from desktop_app.services.loops import LoopState, Phase
from desktop_app.store.backends.sqlite import store_error
from tests.gui.running_app import allowed, queue_page
from tests.helpers import wait_until
from tests.helpers.sqs.faults import service_error
from tests.helpers.sqs.internet import Internet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gui.conftest import WindowFactory
    from tests.helpers.keyring import MemoryKeyring
    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.keyring", "tests.helpers.sqs.fixtures"]

REGION, QUEUE = "eu-west-1", "work"
AWS = Settings(queue=QUEUE, region=REGION)
Enter = Any
CONFIG = """
[profile prod]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Ops
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
sso_registration_scopes = sso:account:access
"""


@pytest.fixture(autouse=True)
def no_poll_left(live_sim: SimulatedSqs, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wait for polls, which may outlive the window, before `monkeypatch` removes the simulated network."""
    yield
    live_sim.close()
    wait_until(lambda: "receiver" not in {thread.name for thread in threading.enumerate()}, 25)


@pytest.fixture
def internet(live_sim: SimulatedSqs, monkeypatch: pytest.MonkeyPatch) -> Internet:
    live_sim.simulator.create_queue(QUEUE)
    made = Internet(live_sim)
    made.install(monkeypatch)
    return made


def write_aws(home: Path, config: str, credentials: str = "") -> None:
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(config)
    (home / ".aws" / "credentials").write_text(credentials)


@pytest.fixture
def sso(isolated_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a profile that signs in with SSO; return the path of its token."""
    write_aws(isolated_environment, CONFIG)
    cache = isolated_environment / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    # botocore determines the home folder when it is imported.
    for owner in ("tokens.SSOTokenProvider", "credentials.SSOProvider"):
        monkeypatch.setattr(f"botocore.{owner}._SSO_TOKEN_CACHE_DIR", str(cache))
    return cache / f"{hashlib.sha1(b'corp', usedforsecurity=False).hexdigest()}.json"


def token(*, hours: float) -> str:
    """Write the token of `aws sso login`, valid for this many hours."""
    until = datetime.now(UTC) + timedelta(hours=hours)
    return json.dumps(
        {
            "startUrl": "https://corp.awsapps.com/start",
            "region": REGION,
            "accessToken": "token",
            "expiresAt": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


# E1


@pytest.mark.usefixtures("internet")
def test_missing_credentials_offer_a_profile_or_working_locally(open_app: Enter) -> None:
    app = open_app(AWS)
    app.add("one.txt")
    assert app.until_banner("No credentials were found for the default profile") == [
        "Choose Profile…",
        "Try Now",
        "Work Locally",
        "Details",
    ]
    app.press("Choose Profile…")
    dialog = app.window.connection.dialog
    assert dialog is not None
    page = queue_page(dialog)
    assert dialog.focusWidget() is page.form.profile
    dialog.reject()
    assert app.window.banner.isVisible()  # it is still valid
    app.press("Work Locally")
    app.add("two.txt")
    app.until_processed("two.txt")
    assert app.jobs()["one.txt"].status is Status.PENDING
    assert app.connection.connection.is_local


@pytest.mark.usefixtures("internet")
def test_missing_profile_is_named_and_not_replaced_by_another(open_app: Enter, isolated_environment: Path) -> None:
    write_aws(isolated_environment, "", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n")
    app = open_app(Settings(queue=QUEUE, region=REGION, profile="gone"))
    assert app.until_banner("There is no profile “gone” in the AWS configuration")[0] == "Choose Profile…"


# E2


def install_aws(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a fake `aws` and put its folder first in PATH."""
    (folder / "aws").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "aws").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


PROD = Settings(queue=QUEUE, region=REGION, profile="prod")
scripts = pytest.mark.skipif(sys.platform == "win32", reason="a shell script as a program")


@scripts
@pytest.mark.usefixtures("internet")
def test_processing_continues_after_signing_in_from_the_window(
    open_app: Enter, sso: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sso.write_text(token(hours=-1))
    programs = tmp_path_factory.mktemp("programs")
    (programs / "fresh").write_text(token(hours=8))
    install_aws(programs, f'echo "$@" > {programs}/asked; cp {programs}/fresh {sso}', monkeypatch)
    app = open_app(allowed(PROD))
    app.add("one.txt")
    assert app.until_banner("Your AWS session has expired") == ["Sign In…", "Copy Command", "Work Locally"]
    app.press("Copy Command")
    assert clipboard() == "aws sso login --profile prod"
    app.press("Sign In…")
    assert app.said().startswith("Signing in: aws sso login --profile prod")
    app.until_processed("one.txt")
    assert (programs / "asked").read_text().split() == ["sso", "login", "--profile", "prod"]
    app.until(lambda: not app.window.banner.isVisible())


@pytest.mark.usefixtures("internet")
def test_without_the_aws_cli_the_command_can_be_copied_and_processing_continues(
    open_app: Enter, sso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    app = open_app(allowed(PROD))
    app.add("one.txt")
    assert app.until_banner("Your AWS session has expired")[0] == "Copy Command"
    sso.write_text(token(hours=8))  # signed in, in a terminal
    app.until_processed("one.txt")


@scripts
@pytest.mark.usefixtures("internet", "sso")
def test_failed_sign_in_shows_the_message_of_the_aws_cli(
    open_app: Enter, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    install_aws(tmp_path_factory.mktemp("programs"), "echo The browser was closed\nexit 255", monkeypatch)
    app = open_app(PROD)
    assert app.until_banner("Your AWS session has expired")[0] == "Sign In…"
    app.press("Sign In…")
    app.until(lambda: app.said() == "The sign-in failed The browser was closed")
    assert app.window.banner.isVisible()


# E2b, E2c


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("code", ["InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"])
def test_refused_keys_offer_to_choose_a_profile(open_app: Enter, internet: Internet, code: str) -> None:
    internet.sim.faults.always("*", service_error(code, "The security token included in the request is not valid."))
    app = open_app(AWS)
    buttons = app.until_banner("AWS rejected the access keys of the default profile")
    assert buttons == ["Choose Profile…", "Test Again", "Details"]
    internet.sim.faults.heal()
    app.press("Test Again")
    app.until(lambda: app.window.status.connection.shown.text.startswith("work"))


@pytest.mark.usefixtures("signed_in")
def test_wrong_clock_is_reported_with_the_difference(open_app: Enter, internet: Internet) -> None:
    said = "Signature expired: 20261124T060000Z is now earlier than 20261124T060400Z (20261124T060900Z - 5 min.)"
    internet.sim.faults.always("*", service_error("InvalidSignatureException", said, status=403))
    app = open_app(AWS)
    assert app.until_banner("This computer's clock is wrong")[0] == "Try Again"
    assert app.window.banner.notice is not None
    assert app.window.banner.notice.text.startswith("It is about 9 min slow")
    internet.sim.faults.heal()
    app.press("Try Again")
    app.until(lambda: app.window.status.connection.shown.text.startswith("work"))


# E3


@pytest.mark.usefixtures("signed_in", "internet")
@pytest.mark.parametrize(
    ("region", "title"), [("", "No region is set"), ("eu west", "The region “eu west” does not exist")]
)
def test_missing_region_can_be_chosen(open_app: Enter, region: str, title: str) -> None:
    app = open_app(Settings(queue=QUEUE, region=region))
    assert app.until_banner(title)[0] == "Choose Region…"
    app.press("Choose Region…")
    dialog = app.window.connection.dialog
    assert dialog is not None
    page = queue_page(dialog)
    assert dialog.focusWidget() is page.form.region
    app.until(lambda: page.form.region.findText(REGION) >= 0)
    page.form.region.setEditText(REGION)
    dialog.connect_now.click()
    app.until(lambda: app.window.status.connection.shown.text.startswith(f"work · {REGION}"))


# E4


@pytest.mark.usefixtures("signed_in")
def test_missing_queue_is_found_in_another_region(open_app: Enter, internet: Internet) -> None:
    internet.regions = {"eu-central-1"}
    app = open_app(allowed(AWS))
    buttons = app.until_banner("The queue “work” does not exist on Amazon SQS in eu-west-1")
    assert buttons == ["Choose Queue…", "Look in Other Regions", "Try Now"]
    app.press("Look in Other Regions")
    app.until(lambda: app.said() == "“work” was found in eu-central-1.")
    assert [button.text() for button in app.window.notices.buttons] == ["Use eu-central-1"]


@pytest.mark.usefixtures("signed_in")
def test_queue_that_is_in_no_region_is_reported(open_app: Enter, internet: Internet) -> None:
    internet.regions = set()
    app = open_app(AWS)
    app.until_banner("The queue “work” does not exist on Amazon SQS in eu-west-1")
    app.press("Look in Other Regions")
    app.until(lambda: app.said().startswith("None of the other regions that responded has a queue named “work”"))
    app.press("Choose Queue…")
    dialog = app.window.connection.dialog
    assert dialog is not None
    page = queue_page(dialog)
    assert dialog.focusWidget() is page.form.queue


# E5


@pytest.mark.usefixtures("signed_in")
def test_missing_right_offers_to_copy_a_request_to_the_administrator(open_app: Enter, internet: Internet) -> None:
    said = (
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: sqs:receivemessage on resource: "
        "arn:aws:sqs:eu-west-1:123456789012:work because no identity-based policy allows it"
    )
    internet.sim.faults.always("ReceiveMessage", service_error("AccessDenied", said, status=403))
    app = open_app(allowed(AWS))
    app.add("one.txt")
    buttons = app.until_banner("No permission to receive messages from “work”")
    assert buttons == ["Copy Request", "Send Only", "Try Now"]
    app.press("Copy Request")
    letter, _, policy = clipboard().partition("\n\n")
    assert "sqs:ReceiveMessage on arn:aws:sqs:eu-west-1:123456789012:work" in letter
    assert "arn:aws:iam::123456789012:user/me" in letter
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Resource"] == "arn:aws:sqs:eu-west-1:123456789012:work"
    assert {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"} <= set(statement["Action"])
    app.until(lambda: app.jobs()["one.txt"].sent_at is not None)  # sending continues
    app.press("Send Only")
    app.until(lambda: app.window.status.connection.shown.text.endswith("sending only"))


@pytest.mark.usefixtures("signed_in")
def test_right_granted_later_is_used(open_app: Enter, internet: Internet) -> None:
    internet.sim.faults.always("ReceiveMessage", service_error("AccessDenied", "no", status=403))
    app = open_app(allowed(AWS))
    app.add("one.txt")
    app.until_banner("No permission to receive messages from “work”")
    internet.sim.faults.heal()
    app.press("Try Now")
    app.until_processed("one.txt")
    app.until(lambda: not app.window.banner.isVisible())


# E6


def test_missing_network_can_be_retried_and_shows_details(open_app: Enter) -> None:
    app = open_app(Settings(queue=QUEUE, endpoint_url="http://127.0.0.1:1"))
    assert app.until_banner("Can't reach the queue server at http://127.0.0.1:1") == ["Try Now", "Details"]
    app.press("Details")
    (dialog,) = app.window.findChildren(PairsDialog)
    dialog.copy()
    assert "offline" in clipboard()
    assert "Could not connect to the endpoint" in clipboard()
    dialog.close()


@pytest.mark.usefixtures("signed_in")
def test_proxy_that_is_down_is_named(open_app: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:1")
    app = open_app(AWS)
    assert app.until_banner("Can't reach the proxy 127.0.0.1:1")[0] == "Details"
    app.press("Details")
    (dialog,) = app.window.findChildren(PairsDialog)
    dialog.copy()
    assert "HTTPS_PROXY" in clipboard()
    assert "hunter2" not in clipboard()
    dialog.close()


@pytest.mark.usefixtures("signed_in")
def test_throttling_is_shown_only_in_the_status_bar(open_app: Enter, internet: Internet) -> None:
    internet.sim.faults.always("*", service_error("RequestThrottled", "Slower.", status=403))
    app = open_app(allowed(AWS))
    app.until(lambda: app.window.status.connection.shown.text.startswith("Throttled"))
    assert not app.window.banner.isVisible()


# E15


@pytest.mark.usefixtures("signed_in")
@pytest.mark.expected_log("ConsumerThread ended: This queue contains")
def test_foreign_messages_stop_processing_until_the_user_ignores_them(open_app: Enter, internet: Internet) -> None:
    queue = internet.sim.boto()
    url = queue.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    for number in range(MANY_IN_A_ROW + 2):
        queue.send_message(QueueUrl=url, MessageBody=f"another program's {number}")
    app = open_app(allowed(Settings(queue=url)))  # the URL names the account, so the loops need no restart
    assert app.until_banner(str(TOO_MANY_TITLE)) == ["Choose Queue…", "Show Messages", "Process Anyway"]
    app.press("Show Messages")
    (dialog,) = app.window.findChildren(PairsDialog)
    dialog.close()
    app.press("Process Anyway")
    app.until(lambda: not app.window.banner.isVisible())
    app.add("one.txt")
    app.until_processed("one.txt")
    app.until(lambda: len(internet.sim.simulator.bodies(QUEUE)) == MANY_IN_A_ROW + 2)  # all foreign


def test_foreign_messages_that_hold_up_files_are_named_with_their_number(windows: WindowFactory) -> None:
    window = windows.open()
    error = KnownError("Filemill has received 413 messages.", title=HELD_UP_TITLE, cause=Cause.FOREIGN)
    windows.states.set_state(LoopKind.CONSUMER, LoopState(Phase.WAITING, error.text, error=error))
    assert window.banner.notice is not None
    assert (window.banner.notice.title, window.banner.notice.text) == (HELD_UP_TITLE, error.body)
    assert [button.text() for button in window.banner.buttons] == ["Choose Queue…", "Show Messages", "Process Anyway"]
    assert windows.states.text.mark is Mark.RETRYING
    windows.states.set_state(LoopKind.CONSUMER, LoopState(Phase.RUNNING))
    assert not window.banner.isVisible()


# E12, E13: only the buttons; the faults are caused in test_real_faults.py


@pytest.mark.parametrize(
    ("error", "cause", "first"),
    [
        (StoreFullError("The disk is full."), Cause.DISK_FULL, "Open Folder"),
        (StoreBusyError("Another program uses it."), Cause.DATABASE_BUSY, "Try Now"),
        (StoreDamagedError("It is damaged."), Cause.DATABASE_DAMAGED, "Quit"),
        (StoreError("It can't be written.", cause=Cause.DATABASE_READ_ONLY), Cause.DATABASE_READ_ONLY, "Open Folder"),
    ],
)
def test_database_problem_has_a_button_that_helps(
    windows: WindowFactory, error: StoreError, cause: Cause, first: str
) -> None:
    window = windows.open()
    windows.states.set_state(LoopKind.CONSUMER, LoopState(Phase.WAITING, error.text, error=error))
    assert error.cause is cause
    assert window.banner.isVisible()
    assert window.banner.buttons[0].text() == first


def test_failed_loops_can_be_restarted(windows: WindowFactory) -> None:
    window = windows.open()
    windows.states.set_failure(LoopKind.CONSUMER, "Processing has stopped.")
    assert [button.text() for button in window.banner.buttons] == ["Restart"]
    window.banner.buttons[0].click()
    assert [loops.starts for loops in windows.loops] == [1]


def test_processing_can_be_permitted(windows: WindowFactory) -> None:
    window = windows.open()
    windows.connection.choose(Connection("work", region=REGION), process_here=False)
    windows.states.set_state(LoopKind.CONSUMER, LoopState(Phase.OFF, "None are processed here yet."))
    assert [button.text() for button in window.banner.buttons] == ["Process Here"]
    window.banner.buttons[0].click()
    assert windows.connection.processes_here
    assert load_settings(windows.settings_file).process_queue == windows.connection.connection.key


def test_permission_that_can_not_be_saved_is_reported_and_holds(windows: WindowFactory) -> None:
    window = windows.open()
    windows.connection.choose(Connection("work", region=REGION), process_here=False)
    windows.states.set_state(LoopKind.CONSUMER, LoopState(Phase.OFF, "None are processed here yet."))
    windows.settings_file.write_text("not = [toml")
    window.banner.buttons[0].click()
    assert windows.connection.processes_here
    assert window.notices.notice is not None
    assert str(windows.settings_file) in window.notices.notice.text


def test_waiting_loops_can_try_now(windows: WindowFactory) -> None:
    window = windows.open()
    windows.states.set_state(LoopKind.SENDER, LoopState(Phase.WAITING, "Something is in the way."))
    assert [button.text() for button in window.banner.buttons] == ["Try Now"]
    window.banner.buttons[0].click()
    assert windows.tried == 1
    assert window.banner.isVisible()


def test_write_error_is_recognized(tmp_path: Path) -> None:
    error = sqlite3.OperationalError("attempt to write a readonly database")
    error.sqlite_errorcode = sqlite3.SQLITE_READONLY
    assert store_error(error, tmp_path / "x.db").cause is Cause.DATABASE_READ_ONLY


# A server other than AWS


def test_server_that_refuses_the_keys_asks_for_its_own(open_app: Enter, internet: Internet) -> None:
    internet.servers.add("127.0.0.1:9324")
    internet.sim.faults.always("GetQueueUrl", service_error("InvalidClientTokenId", "no", status=403))
    app = open_app(Settings(queue=QUEUE, endpoint_url="127.0.0.1:9324"))
    app.add("one.txt")
    buttons = app.until_banner("The queue server at http://127.0.0.1:9324 rejected the access keys")
    assert buttons[0] == "Type Keys…"
    assert app.window.windowTitle().endswith("work on 127.0.0.1:9324 – Filemill")
    app.press("Type Keys…")
    dialog = app.window.connection.dialog
    assert dialog is not None
    page = queue_page(dialog)
    assert dialog.focusWidget() is page.form.key_id
    page.form.key_id.setText("server-user-7")
    page.form.secret.setText("a-typed-secret")
    internet.sim.faults.heal()
    dialog.connect_now.click()
    app.until(lambda: app.window.status.connection.shown.text.startswith("work on 127.0.0.1:9324"))
    app.until(lambda: "server-user-7" in internet.key_ids)
    texts = [path.read_text(errors="replace") for path in app.program.home.folder.rglob("*") if path.is_file()]
    assert not any("a-typed-secret" in text for text in texts)


def test_keyring_that_waits_for_its_password_is_named_and_can_be_stopped(
    open_app: Enter, internet: Internet, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.servers.add("127.0.0.1:9324")
    monkeypatch.setattr(credential_program, "SLOW_SECONDS", 0.1)
    ring.answered.clear()
    app = open_app(Settings(queue=QUEUE, endpoint_url="http://127.0.0.1:9324", remembered_keys="1f74a9f0"))
    banner = app.window.banner
    app.until(lambda: banner.notice is not None and "keyring has not provided credentials yet" in banner.notice.text)
    assert [button.text() for button in banner.buttons] == ["Stop", "Type Keys…"]
    app.press("Stop")
    assert "Type Keys…" in app.until_banner(
        "The access keys for the queue server at http://127.0.0.1:9324 can't be used"
    )


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
@pytest.mark.usefixtures("internet")
def test_hanging_program_is_named_and_can_be_stopped(
    open_app: Enter, isolated_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_program, "SLOW_SECONDS", 0.1)
    helper = isolated_environment / "helper"
    helper.write_text("#!/bin/sh\nexec sleep 100\n")
    helper.chmod(0o700)
    write_aws(isolated_environment, f"[profile slow]\ncredential_process = {helper}\n")
    app = open_app(Settings(queue=QUEUE, region=REGION, profile="slow"))
    banner = app.window.banner
    app.until(lambda: banner.notice is not None and "has not provided credentials yet" in banner.notice.text)
    assert [button.text() for button in banner.buttons] == ["Stop", "Choose Profile…"]
    assert app.window.status.connection.shown.text.startswith("Waiting for credentials")
    app.press("Stop")
    assert "Try Now" in app.until_banner("The credentials of profile “slow” can't be used")
    assert banner.notice is not None
    assert "was ended before it provided credentials" in banner.notice.text
