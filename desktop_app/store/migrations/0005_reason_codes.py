"""Replace stored English reasons with codes and arguments.

The models and sentences are copies that must not change: never import the current ones here. An unknown sentence is
stored unchanged with the code `text`.
"""

import json
import re

from peewee import AutoField, BigIntegerField, CharField, CompositeKey, ForeignKeyField, IntegerField, Model, TextField

SENTENCES = {
    "The file is no longer there": "file_gone",
    "The file is no longer there: a part of its path is not a folder": "path_broken",
    "No file can be there: the path is too long for this system": "path_too_long",
    "No file can have this name": "impossible_name",
    "You may not read this file": "may_not_read",
    "You may not read this file, or another program is using it": "may_not_read_or_in_use",
    "Another program is using this file": "in_use",
    "The disk or network share that holds this file did not deliver it": "not_delivered",
    "The disk or network share did not answer for 10 minutes": "no_answer",
    "This computer is short of memory or has too many files open at once": "short_of_resources",
    "This is a folder, not a file": "is_folder",
    "This is a named pipe; only ordinary files can be processed": "is_pipe",
    "This is a socket; only ordinary files can be processed": "is_socket",
    "This is a device; only ordinary files can be processed": "is_device",
    "This is not an ordinary file": "not_ordinary",
    "This link leads in a circle and never to a file": "link_circle",
    "Addresses on the web are not supported yet; download the file and add it from this computer": "web_address",
    "There is no way to process this kind of file": "no_processor",
    "The file changed while it was read; its result was thrown away so that no wrong numbers are kept": (
        "changed_while_read"
    ),
    "The system reports another size for this file than it has content, so it can't be processed": "size_untrue",
    "The program ended while it worked on this file": "crashed",
    "Something went wrong in Filemill itself. The file is put aside; the log has the details.": "internal",
}
PATTERNS = [
    (re.compile(pattern, re.DOTALL), code)
    for pattern, code in (
        (r"The system can't read this file: (?P<why>.*)", "system_error"),
        (
            (
                r"The program ended (?P<count>\d+) times while it worked on this file\. "
                r"The file is put aside; the others go on"
            ),
            "crashed_often",
        ),
        (
            r"The queue refuses its message: The queue “(?P<name>.+?)” refuses the request: (?P<why>.*)",
            "request_refused",
        ),
        (r"The queue refuses its message: (?P<why>.*)", "message_refused"),
        (r"The queue has put its message aside after (?P<count>one) delivery without an end", "dead_lettered"),
        (r"The queue has put its message aside after (?P<count>\d+) deliveries without an end", "dead_lettered"),
    )
]
ENDINGS = (
    re.compile(r"(?P<reason>.+) \(given up after (?P<tries>\d+) tries\)", re.DOTALL),
    re.compile(r"(?P<reason>.+); try (?P<next>\d+) of (?P<most>\d+) follows", re.DOTALL),
)
NUMBERS = {"count"}


def up(migrator, db):
    # A code without a sentence is meaningless.
    db.execute_sql("UPDATE job SET reason_code = '' WHERE reason = '' AND reason_code != ''")
    db.execute_sql('ALTER TABLE "job" RENAME COLUMN "reason" TO "reason_args"')
    db.execute_sql('ALTER TABLE "attempt" RENAME TO "attempt_before"')
    make_attempts(db)
    db.execute_sql("CREATE TEMP TABLE told (sentence TEXT PRIMARY KEY, code TEXT NOT NULL, args TEXT NOT NULL)")
    sentences = db.execute_sql(
        "SELECT reason_args FROM job WHERE reason_args != '' UNION SELECT reason FROM attempt_before WHERE reason != ''"
    )
    for (sentence,) in sentences.fetchall():
        db.execute_sql("INSERT INTO told VALUES (?, ?, ?)", (sentence, *parsed(sentence)))
    db.execute_sql(
        "UPDATE job SET (reason_code, reason_args) = (SELECT code, args FROM told WHERE sentence = job.reason_args) "
        "WHERE reason_args != ''"
    )
    db.execute_sql(
        "INSERT INTO attempt SELECT job_id, token, generation, number, worker, started_at, ended_at, outcome, "
        "COALESCE(code, ''), COALESCE(args, '') FROM attempt_before LEFT JOIN told ON sentence = reason"
    )
    db.execute_sql("DROP TABLE attempt_before")
    db.execute_sql("DROP TABLE told")


def make_attempts(db):
    class Job(Model):
        id = AutoField()

        class Meta:
            table_name = "job"
            database = db
            legacy_table_names = False

    class Attempt(Model):
        job = ForeignKeyField(Job, on_delete="CASCADE", index=False)
        token = BigIntegerField()
        generation = IntegerField()
        number = IntegerField()
        worker = TextField()
        started_at = BigIntegerField()
        ended_at = BigIntegerField(null=True)
        outcome = CharField(16, null=True)
        reason_code = CharField(32, default="")
        reason_args = TextField(default="")

        class Meta:
            table_name = "attempt"
            database = db
            legacy_table_names = False
            primary_key = CompositeKey("job", "token")
            without_rowid = True

    db.create_tables([Attempt], safe=False)


def parsed(sentence):
    """Return the reason code and the JSON arguments for a stored sentence."""
    code, arguments = taken_apart(sentence)
    return code, json.dumps(arguments, ensure_ascii=False) if arguments else ""


def taken_apart(sentence):
    for ending in ENDINGS:
        found = ending.fullmatch(sentence)
        if found:
            code, arguments = taken_apart(found["reason"])
            counted = {name: int(value) for name, value in found.groupdict().items() if name != "reason"}
            return code, {**arguments, **counted}
    if sentence in SENTENCES:
        return SENTENCES[sentence], {}
    for pattern, code in PATTERNS:
        found = pattern.fullmatch(sentence)
        if found:
            return code, {
                name: number(value) if name in NUMBERS else value for name, value in found.groupdict().items()
            }
    return "text", {"text": sentence}


def number(text):
    return 1 if text == "one" else int(text)
