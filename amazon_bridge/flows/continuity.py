"""Checks that Odoo is still the database of the state store, and rewinds accounts."""

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
    "If the configuration names the wrong database or the wrong state store, correct odoo.url,"
    " odoo.database or `state`. To use this store with this database from now on: amazon-bridge"
    " state adopt."
)


def identify(session: OdooSession, url: str, name: str) -> DatabaseId:
    """Return the identity of the database that the session is logged in to.

    Args:
        session: logged in to the database.
        url: its server's configured address; a login in it is not kept.
        name: its name.
    """
    parts = urlsplit(url)
    address = f"{parts.scheme}://{(parts.netloc.rpartition('@')[2]).lower()}"
    return DatabaseId(address + parts.path.rstrip("/"), name, session.database_uuid())


def ensure_same(ledger: Ledger, session: OdooSession, found: DatabaseId) -> None:
    """Refuse a database that the state store doesn't belong to.

    A moved database (same uuid at another address, or same name if the login may not read the
    uuid) is accepted if it has most of the orders imported last. A copy lacks the orders that were
    imported after it was made.

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
            f" which the state store {ledger.store} belongs to: it may be a copy.",
            _ADOPT,
        )


def note(ledger: Ledger, found: DatabaseId) -> None:
    """Record the database that the state store is used with from now on."""
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
    why = "" if sure else " (the login may not read their uuids, which would prove it)"
    return ConfigError(
        f"The state store {ledger.store} belongs to {_named(known)}; {_named(found)} {which}{why}."
        " What the store considers done need not be done there.",
        _ADOPT,
    )


def _named(database: DatabaseId) -> str:
    return f"the Odoo database {database.name} at {database.url}"


_SAMPLE = 20
"""Number of the orders imported last that are looked up."""


_FEW = 3
"""Fewer missing orders are not reported: people delete some."""


def _mostly_missing(ledger: Ledger, session: OdooSession) -> list[str]:
    """Return the orders imported last that Odoo lacks, if it lacks at least half of them."""
    latest = ledger.items.latest_done(JOB, _SAMPLE)
    found = sales.find(session, latest) if latest else {}
    missing = [order_id for order_id in latest if order_id not in found]
    return missing if 2 * len(missing) >= len(latest) else []


def examine(ledger: Ledger, session: OdooSession) -> list[Finding]:
    """Report if Odoo lacks most orders imported last, as after a backup was restored."""
    missing = _mostly_missing(ledger, session)
    if len(missing) < _FEW:
        return []
    return [
        Finding(
            ok=False,
            what=f"Odoo lacks {len(missing)} of the orders imported last, such as {missing[0]}",
            remedy="If Odoo was restored from a backup: amazon-bridge cursor set ACCOUNT, to an"
            " hour before the backup began. If people deleted the orders, there is nothing to do.",
        )
    ]


def rewind(ledger: Ledger, account: str, since: datetime) -> None:
    """Rewind an account: read again what changed on Amazon and in Odoo since a moment."""
    ledger.continuity.rewind(account, since, job=JOB)
    log.info("account_rewound", account=account, since=since.isoformat())


def adopt(
    ledger: Ledger, found: DatabaseId, accounts: Iterable[str], since: datetime | None
) -> dict[str, datetime]:
    """Assign the state store to another database, and rewind all accounts.

    Args:
        ledger: the state store.
        found: the database.
        accounts: the names of all accounts.
        since: the moment to rewind to; None: each account's beginning.

    Returns:
        By account, the moment it was rewound to; accounts that never ran are absent.
    """
    beginnings = {name: ledger.cursors.began(name) for name in accounts}
    moments = {name: since or began for name, began in beginnings.items() if began}
    ledger.continuity.adopt_odoo_database(found, moments, job=JOB)
    log.info("odoo_database_adopted", database=_named(found))
    return moments
