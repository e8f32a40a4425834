"""Buyers' data in Odoo: customers of whom nothing is open are made anonymous after a while."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.odoo.past_customers import PastCustomer, anonymise, past_customers
from amazon_bridge.odoo.session import OdooSession

log = structlog.get_logger(__name__)

_PAUSE = 1.0
"""Seconds between two pages, in which orders are imported."""


@dataclass(slots=True)
class Outcome:
    """What became of the customers whose last goods left long enough ago."""

    anonymised: int = 0
    """In a dry run: those that would be."""
    kept: dict[int, str] = field(default_factory=dict)
    """Why the data of others is needed still, by the customer's database id in Odoo."""

    def note(self, customer: PastCustomer) -> None:
        if customer.needed:
            self.kept[customer.id] = customer.needed
        else:
            self.anonymised += 1


def forget_buyers(
    session: OdooSession,
    before: datetime,
    *,
    put_aside: Collection[str],
    alone: Callable[[], AbstractContextManager[object]],
    sleep: Callable[[float], None],
    dry_run: bool = False,
) -> Outcome:
    """Make customers anonymous whose last goods left before a moment, unless something needs them.

    Args:
        session: a login to all companies that the bridge works for.
        before: the moment.
        put_aside: Amazon order ids that people have yet to look at.
        alone: holds up the import of orders, so that none is made for a customer meanwhile.
        sleep: takes seconds.
        dry_run: only tell.

    Raises:
        AccountError, Transient: Odoo is down, refuses the login, or orders are being imported;
            what was done stays done.
    """
    outcome = Outcome()
    pages = past_customers(session, before)
    while True:
        with alone():
            page = next(pages, None)
            if page is None:
                return outcome
            judged = [_minding(each, put_aside) for each in page]
            done = judged if dry_run else _anonymised(session, judged)
        for customer in done:
            outcome.note(customer)
        sleep(_PAUSE)


def _minding(customer: PastCustomer, put_aside: Collection[str]) -> PastCustomer:
    aside = set(put_aside).intersection(customer.order_ids)
    if customer.needed or not aside:
        return customer
    return replace(customer, needed=f"the order {min(aside)} is put aside")


def _anonymised(session: OdooSession, page: Sequence[PastCustomer]) -> list[PastCustomer]:
    """The page as it is after; whom Odoo refuses to change keeps nobody else."""
    past = [customer for customer in page if not customer.needed]
    kept = [customer for customer in page if customer.needed]
    try:
        anonymise(session, past)
    except ItemError:
        singly = runner.one_by_one(past, lambda each: anonymise(session, [each]), key=_name)
        return kept + [_told(customer, result) for customer, result in singly]
    return kept + past


def _name(customer: PastCustomer) -> str:
    return f"customer {customer.id}"


def _told(customer: PastCustomer, result: ItemError | Transient | None) -> PastCustomer:
    return replace(customer, needed=result.reason if result else "")
