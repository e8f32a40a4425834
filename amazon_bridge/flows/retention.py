"""Anonymises customers in Odoo some time after their last goods left, if nothing needs them."""

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
"""Seconds between two pages, so that orders can be imported meanwhile."""


@dataclass(slots=True)
class RetentionResult:
    """Result for the customers whose last goods left long enough ago."""

    anonymised: int = 0
    """Number of customers; in a dry run, of those that would be anonymised."""
    kept: dict[int, str] = field(default_factory=dict)
    """By database id, why the other customers' data is still needed."""

    def note(self, needs: Mapping[int, str]) -> None:
        """Add customers: by database id, why their data is needed; "" if it was anonymised."""
        kept = {id_: need for id_, need in needs.items() if need}
        self.kept |= kept
        self.anonymised += len(needs) - len(kept)


def anonymise_customers(
    session: OdooSession,
    before: datetime,
    *,
    quarantined: Collection[str],
    imports_locked: Callable[[], AbstractContextManager[object]],
    sleep: Callable[[float], None],
    dry_run: bool = False,
) -> RetentionResult:
    """Anonymise customers whose last goods left before a moment, unless something needs them.

    Args:
        session: a login to all companies that the bridge works for.
        before: the moment.
        quarantined: Amazon order ids that people have yet to settle.
        imports_locked: context manager that keeps orders from being imported meanwhile, so that
            none is created for a customer.
        sleep: takes seconds.
        dry_run: change nothing.

    Raises:
        AccountError, Transient: Odoo is down, refuses the login, or orders are being imported;
            what was done stays done.
    """
    result = RetentionResult()
    pages = customers_to_anonymise(session, before)
    while True:
        with imports_locked():
            page = next(pages, None)
            if page is None:
                return result
            due = [customer for customer in page if customer.last_moved < before]
            needs = {customer.id: next(_needs(customer, quarantined), "") for customer in due}
            if not dry_run:
                needs |= _anonymised(session, [each for each in due if not needs[each.id]])
        result.note(needs)
        sleep(_PAUSE)


def _needs(customer: CustomerHistory, quarantined: Collection[str]) -> Iterator[str]:
    """Yield what the customer's data is still needed for; the texts hold none of the data."""
    for contact in customer.contacts:
        if not contact.made_by_bridge:
            yield f"somebody added the contact {contact.id}"
        if contact.has_login:
            yield f"the contact {contact.id} has a login"
    if customer.is_invoiced:
        yield "there is an invoice"
    for order in customer.orders:
        yield from _needs_of(order, quarantined)
    for transfer in customer.transfers:
        if transfer.is_open:
            yield f"the transfer {transfer.name} is open"


def _needs_of(order: CustomerOrder, quarantined: Collection[str]) -> Iterator[str]:
    if not order.order_id:
        yield f"the sale order {order.name} isn't Amazon's"
    elif order.order_id in quarantined:
        yield f"the order {order.order_id} is quarantined"
    elif order.is_quotation:
        yield f"the quotation {order.name} is open"
    elif not (order.is_cancelled or order.is_delivered):
        yield f"the sale order {order.name} isn't delivered"


def _anonymised(session: OdooSession, customers: Sequence[CustomerHistory]) -> dict[int, str]:
    """Anonymise customers; one that Odoo refuses to change doesn't stop the others.

    Returns:
        By database id, why Odoo refuses to change the customer; "" if it is anonymous now.
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
