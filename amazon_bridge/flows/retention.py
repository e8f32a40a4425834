"""Anonymises customers in Odoo some time after their last goods left, if nothing needs them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import AccountError, ItemError, Transient
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.scan import EVERY_ACCOUNT, Scan, ScanProgress
from amazon_bridge.odoo.anonymisation import (
    Candidates,
    CustomerHistory,
    CustomerOrder,
    anonymise,
    last_contact_id,
    last_order_id,
    of_orders,
    read_customers,
    with_last_goods_between,
    without_orders,
)
from amazon_bridge.odoo.session import OdooSession

log = structlog.get_logger(__name__)

_PAUSE = 1.0
"""Seconds after a page with changes, so that orders can be imported meanwhile."""


class _Read(Protocol):
    """Reads customers page by page: of the records created before a moment, in a range of ids."""

    def __call__(
        self, session: OdooSession, before: datetime, *, after: int = 0, up_to: int | None = None
    ) -> Iterator[Candidates]: ...


@dataclass(slots=True)
class RetentionResult:
    """Result for the customers whose last goods left long enough ago."""

    needs: dict[int, str] = field(default_factory=dict)
    """By a customer's database id, why its data is still needed; "" if it was anonymised."""

    @property
    def anonymised(self) -> int:
        """Number of customers; in a dry run, of those that would be anonymised."""
        return len(self.needs) - len(self.kept)

    @property
    def kept(self) -> dict[int, str]:
        """By database id, why the other customers' data is still needed."""
        return {id_: need for id_, need in self.needs.items() if need}


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymisation:
    """Anonymises customers whose last goods left before a moment, unless something needs them.

    The methods raise ``AccountError`` or ``Transient`` if Odoo is down, refuses the login, or
    orders are being imported; what was done stays done.
    """

    session: OdooSession
    """A login to all companies of the bridge's accounts."""
    before: datetime
    quarantined: Collection[str]
    """Amazon order ids that people have yet to settle."""
    imports_locked: Callable[[], AbstractContextManager[object]]
    """Keeps orders from being imported meanwhile, so that none is created for a customer."""
    sleep: Callable[[float], None]
    """Takes seconds."""
    dry_run: bool = False
    """Change nothing."""
    result: RetentionResult = field(default_factory=RetentionResult)

    def of_all(self) -> RetentionResult:
        """Look at all customers."""
        for read in (of_orders, without_orders):
            for page in read(self.session, self.before):
                self._process(page)
        return self.result

    def of_due(self, ledger: Ledger) -> RetentionResult:
        """Look at the customers whose data has become old since the last time, and at some others.

        The others are those whose data was still needed when it became old, and those without an
        order: a seventh of all orders and contacts in turn. An interrupted reading goes on where it
        stopped.
        """
        progress = ledger.scans.progress(EVERY_ACCOUNT, _OLD)
        self._of_those_that_became_old(ledger, progress)
        if progress.complete_until:
            session = self.session
            self._in_turn(ledger, _OTHERS, of_orders, last_order_id(session))
            self._in_turn(ledger, _WITHOUT_ORDERS, without_orders, last_contact_id(session))
        return self.result

    def _of_those_that_became_old(self, ledger: Ledger, progress: ScanProgress) -> None:
        scans = ledger.scans
        since = progress.complete_until or _BEGINNING
        scan = progress.unfinished or Scan(since, self.before, looks_back=False)
        if scan.since >= scan.began:
            return  # the retention was prolonged
        scans.expect(EVERY_ACCOUNT, _OLD)
        found = with_last_goods_between(self.session, scan.since, scan.began, after=scan.after)
        for page in found:
            self._process(page)
            scan = scan._replace(after=page.last_id)
            scans.pause(EVERY_ACCOUNT, _OLD, scan, {}, since=progress)
        scans.finish(EVERY_ACCOUNT, _OLD, scan, {}, since=progress)

    def _in_turn(self, ledger: Ledger, name: str, read: _Read, last: int) -> None:
        """Read a seventh of the records up to the id ``last``, and look at their customers."""
        after = ledger.scans.position(EVERY_ACCOUNT, name)
        up_to = after + last // _CYCLE + 1
        for page in read(self.session, self.before, after=after, up_to=up_to):
            self._process(page)
            ledger.scans.move(EVERY_ACCOUNT, name, page.last_id)
        ledger.scans.move(EVERY_ACCOUNT, name, up_to if up_to < last else 0)

    def _process(self, page: Candidates) -> None:
        needs = self._needs(page.customer_ids)
        unneeded = [id_ for id_, need in needs.items() if not need]
        if unneeded and not self.dry_run:
            with self.imports_locked():
                needs |= self._anonymised(unneeded)
        self.result.needs.update(needs)
        self.sleep(_PAUSE if unneeded else 0)

    def _needs(self, customer_ids: Collection[int]) -> dict[int, str]:
        return {customer.id: need for customer, need in self._judged(customer_ids)}

    def _judged(self, customer_ids: Collection[int]) -> list[tuple[CustomerHistory, str]]:
        """The customers whose data is old, and why it is needed; "" if it is not."""
        customers = read_customers(self.session, customer_ids)
        due = [customer for customer in customers if customer.last_moved < self.before]
        return [(customer, next(_needs(customer, self.quarantined), "")) for customer in due]

    def _anonymised(self, customer_ids: Collection[int]) -> dict[int, str]:
        """Read them again, now that no order can be imported for them, and anonymise them."""
        judged = self._judged(customer_ids)
        unneeded = [customer for customer, need in judged if not need]
        now_needed = dict.fromkeys(set(customer_ids) - {each.id for each in unneeded}, _NEW_ORDER)
        needs = {customer.id: need for customer, need in judged if need}
        return now_needed | needs | _anonymised(self.session, unneeded)


_NEW_ORDER = "something new was imported for it"

_OLD, _OTHERS = "anonymisation", "anonymisation of others"
_WITHOUT_ORDERS = "anonymisation without orders"
"""Names of the readings in the state store."""

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

_CYCLE = 7
"""Days in which all orders and contacts are read again."""


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

    They are anonymised one by one if Odoo refuses them together, or doesn't respond in time.

    Returns:
        By database id, why the customer isn't anonymous now; "" if it is.
    """
    try:
        anonymise(session, customers)
    except (ItemError, AccountError, Transient):
        singly = runner.one_by_one(
            customers, lambda each: anonymise(session, [each]), key=_name, alive=session.ping
        )
        return {customer.id: result.reason if result else "" for customer, result in singly}
    return dict.fromkeys((customer.id for customer in customers), "")


def _name(customer: CustomerHistory) -> str:
    return f"customer {customer.id}"
