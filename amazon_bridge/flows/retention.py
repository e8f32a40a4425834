"""Buyers' data in Odoo: customers of whom nothing is open are made anonymous after a while."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import AccountError, ItemError
from amazon_bridge.odoo.anonymisation import (
    CustomerHistory,
    CustomerOrder,
    anonymise,
    customers_to_anonymise,
)
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

    def note(self, needs: Mapping[int, str]) -> None:
        """Take down what still needs customers, by their database ids; "" for nothing."""
        kept = {id_: need for id_, need in needs.items() if need}
        self.kept |= kept
        self.anonymised += len(needs) - len(kept)


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
    pages = customers_to_anonymise(session, before)
    while True:
        with alone():
            page = next(pages, None)
            if page is None:
                return outcome
            due = [customer for customer in page if customer.last_moved < before]
            needs = {customer.id: next(_needs(customer, put_aside), "") for customer in due}
            if not dry_run:
                needs |= _anonymised(session, [each for each in due if not needs[each.id]])
        outcome.note(needs)
        sleep(_PAUSE)


def _needs(customer: CustomerHistory, put_aside: Collection[str]) -> Iterator[str]:
    """What the customer's data is needed for still, in words that tell none of it."""
    for contact in customer.contacts:
        if not contact.made_by_bridge:
            yield f"somebody added the contact {contact.id}"
        if contact.has_login:
            yield f"the contact {contact.id} has a login"
    if customer.is_invoiced:
        yield "there is an invoice"
    for order in customer.orders:
        yield from _needs_of(order, put_aside)
    for transfer in customer.transfers:
        if transfer.is_open:
            yield f"the transfer {transfer.name} is open"


def _needs_of(order: CustomerOrder, put_aside: Collection[str]) -> Iterator[str]:
    if not order.order_id:
        yield f"the sale order {order.name} isn't Amazon's"
    elif order.order_id in put_aside:
        yield f"the order {order.order_id} is put aside"
    elif order.is_quotation:
        yield f"the quotation {order.name} is open"
    elif not (order.is_cancelled or order.is_delivered):
        yield f"the sale order {order.name} isn't delivered"


def _anonymised(session: OdooSession, customers: Sequence[CustomerHistory]) -> dict[int, str]:
    """Why Odoo refuses to change a customer, "" for each that is anonymous now.

    Whom it refuses keeps nobody else.
    """
    try:
        anonymise(session, customers)
    except (ItemError, AccountError):
        singly = runner.one_by_one(
            customers, lambda each: anonymise(session, [each]), key=_name, alive=session.ping
        )
        return {customer.id: result.reason if result else "" for customer, result in singly}
    return dict.fromkeys((customer.id for customer in customers), "")


def _name(customer: CustomerHistory) -> str:
    return f"customer {customer.id}"
