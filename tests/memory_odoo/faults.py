"""How the in-memory Odoo says no, in Odoo's words."""

import traceback
from xmlrpc.client import Fault


class Refusal(Exception):
    """A UserError, a ValidationError and the like; ``field`` is reported with a load's message."""

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.text, self.field = text, field


class Violation(Refusal):
    """A constraint of the database, which Odoo puts into words."""


class Forbidden(Refusal):
    """An AccessError: a record rule keeps the login from writing on a record."""


class NotPlayed(BaseException):
    """The bridge or a test asks for what the in-memory Odoo doesn't play.

    No Exception, so that the bridge can't take it for trouble of one order and go on.
    """


def missing(model: str, id_: int) -> Refusal:
    record = f"(Record: {model}({id_},), User: 2)"
    return Refusal(f"Record does not exist or has been deleted.\n{record}")


def protected(title: str, operation: str, id_: int) -> Forbidden:
    return Forbidden(
        "The requested operation cannot be completed due to security restrictions. Please contact"
        f" your system administrator.\n\n(Document type: {title}, Operation: {operation})\n\n"
        f"Records: {id_}, User: 2"
    )


def lacks(title: str, name: str, model_title: str, model: str) -> Violation:
    text = (
        f"Missing required value for the field '{title}' ({name}).\n"
        f"Model: '{model_title}' ({model})\n"
        "- create/update: a mandatory field is not set\n"
        "- delete: another model requires the record being deleted, you can archive it instead\n"
    )
    return Violation(text, name)


def no_database(name: str) -> Fault:
    return Fault(
        1,
        'Traceback (most recent call last):\n  File "odoo/sql_db.py", line 1, in borrow\n'
        'psycopg2.OperationalError: connection to server on socket "/tmp/.s.PGSQL.5432" failed:'
        f' FATAL:  database "{name}" does not exist\n',
    )


def as_fault(error: Exception) -> Fault:
    """What Odoo sends over XML-RPC for an exception."""
    if isinstance(error, Forbidden):
        return Fault(4, error.text)
    if isinstance(error, Refusal):
        return Fault(2, error.text)
    return Fault(1, "".join(traceback.format_exception(error, limit=-1)))
