"""Whether Odoo still is the database that the state store knows; and looking at the past again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

import structlog

from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import DatabaseId
from amazon_bridge.flows.orders.memo import JOB
from amazon_bridge.model import Finding
from amazon_bridge.odoo import sales
from amazon_bridge.odoo.session import OdooSession

log = structlog.get_logger(__name__)

_ADOPT = (
    "If the configuration names the wrong database, or the store is another one's, correct"
    " odoo.url, odoo.database or `state`. If this store is to work for this database from now on:"
    " amazon-bridge state adopt."
)


def identify(session: OdooSession, url: str, name: str) -> DatabaseId:
    """Which database the login works in.

    Args:
        session: a login to it.
        url: its server's address, as configured; kept without a login that it may hold.
        name: its name.
    """
    parts = urlsplit(url)
    address = f"{parts.scheme}://{(parts.netloc.rpartition('@')[2]).lower()}"
    return DatabaseId(address + parts.path.rstrip("/"), name, session.database_uuid())


def ensure_same(ledger: Ledger, session: OdooSession, found: DatabaseId) -> None:
    """Refuse a database that the state store doesn't belong to.

    One that has moved (same uuid, or name where the login may not read the uuid, at another
    address) is accepted if it has most orders that were imported last: a copy has these too, but
    not what came in after it was made.

    Raises:
        ConfigError: it is another database, or may be another one.
    """
    known = ledger.continuity.odoo_database()
    if known is None or known == found:
        return
    if not known.is_same(found):
        raise _refusal(ledger, known, found)
    if known[:2] != found[:2] and (missing := _mostly_missing(ledger, session)):
        raise ConfigError(
            f"{_named(found)} lacks the order {missing[0]} that was imported into {_named(known)},"
            f" which the state store {ledger.path} belongs to: it may be a copy.",
            _ADOPT,
        )


def note(ledger: Ledger, found: DatabaseId) -> None:
    """Note the database that the state store is used with from now on."""
    known = ledger.continuity.odoo_database()
    uuid = found.uuid or (known.uuid if known else None)
    found = found._replace(uuid=uuid)
    if known != found:
        ledger.continuity.note_odoo_database(found)
        before = _named(known) if known else None
        log.info("odoo_database_recorded", database=_named(found), before=before)


def _refusal(ledger: Ledger, known: DatabaseId, found: DatabaseId) -> ConfigError:
    sure = bool(known.uuid and found.uuid)
    which = "is another database" if sure else "may be another database"
    why = "" if sure else " (the login may not read the uuids, which would tell)"
    return ConfigError(
        f"The state store {ledger.path} belongs to {_named(known)}; {_named(found)} {which}{why}."
        " What the store considers done need not be done there.",
        _ADOPT,
    )


def _named(database: DatabaseId) -> str:
    return f"the Odoo database {database.name} at {database.url}"


_SAMPLE = 20
"""Of the orders imported last so many are looked for."""


_FEW = 3
"""Fewer missing orders are no sign of a restored backup."""


def _mostly_missing(ledger: Ledger, session: OdooSession) -> list[str]:
    """The orders among those imported last that Odoo lacks, if it lacks half of them or more.

    People delete some.
    """
    latest = ledger.items.latest_done(JOB, _SAMPLE)
    found = sales.find(session, latest) if latest else {}
    missing = [order_id for order_id in latest if order_id not in found]
    return missing if 2 * len(missing) >= len(latest) else []


def examine(ledger: Ledger, session: OdooSession) -> list[Finding]:
    """Whether Odoo has most orders that were imported last. A restored backup lacks them."""
    missing = _mostly_missing(ledger, session)
    if len(missing) < _FEW:
        return []
    return [
        Finding(
            ok=False,
            what=f"Odoo lacks {len(missing)} of the orders imported last, such as {missing[0]}",
            remedy="If Odoo was restored from a backup: amazon-bridge cursor set ACCOUNT, to an"
            " hour before the backup began. If people deleted the orders, nothing is to be done.",
        )
    ]


def look_again(ledger: Ledger, account: str, since: datetime) -> None:
    """Look again at all that changed on Amazon or was done since a moment."""
    ledger.continuity.rewind(account, since, job=JOB)
    log.info("account_rewound", account=account, since=since.isoformat())


def adopt(
    ledger: Ledger, found: DatabaseId, accounts: Iterable[str], since: datetime | None
) -> dict[str, datetime]:
    """Make the state store belong to another database, and look at everything again.

    Args:
        ledger: the state store.
        found: the database.
        accounts: the names of all accounts.
        since: from when on; None: from each account's beginning.

    Returns:
        By account, from when on it looks again; those that never ran are absent.
    """
    beginnings = {name: ledger.cursors.began(name) for name in accounts}
    moments = {name: since or began for name, began in beginnings.items() if began}
    ledger.continuity.adopt_odoo_database(found, moments, job=JOB)
    log.info("odoo_database_adopted", database=_named(found))
    return moments
