"""Sentences in the texts of errors that say what happens to the user's files while a connection does not work.

They are true for the current connection only. A test of a connection, or the list of its queues, leaves them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.domain.errors import Cause
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from desktop_app.domain.errors import KnownError

FILES_STAY = Sentence("Your files stay in the list.")
CONTINUES_ONLINE = Sentence(
    "Your files stay in the list, and processing will continue when the connection is restored."
)
CONTINUES_WITH_PROXY = Sentence("Your files stay in the list, and processing will continue when the proxy works.")
CONTINUES_SIGNED_IN = Sentence("Processing will then continue. No data has been lost.")
KEEPS_TRYING = Sentence("Filemill will keep trying.")
LOSES_NOTHING = Sentence("Filemill will keep trying. No data has been lost.")

_ALL = frozenset({FILES_STAY, CONTINUES_ONLINE, CONTINUES_WITH_PROXY, CONTINUES_SIGNED_IN, KEEPS_TRYING, LOSES_NOTHING})
_JOINED = "{first} {others}"


def joined(*sentences: str) -> str:
    """Return one sentence that contains several, without the empty ones; empty if there are none."""
    first, *others = list(filter(None, sentences)) or [""]
    return Sentence("{first} {others}", first=first, others=joined(*others)) if others else first


def text_in_test(error: KnownError) -> str:
    """Return the text of an error for a test of a connection, which is not the current one."""
    body = _without_assurances(error.body)
    if not body and error.cause is Cause.OFFLINE:
        body = Sentence("Check the address and the network, and whether the server is running.")
    if not error.title:
        return body
    return Sentence("{title}. {body}", title=error.title, body=body) if body else Sentence("{what}.", what=error.title)


def _without_assurances(text: str) -> str:
    if text in _ALL:
        return ""
    if isinstance(text, Sentence) and text.template == _JOINED:
        return joined(*(_without_assurances(part) for part in text.values.values() if isinstance(part, str)))
    return text
