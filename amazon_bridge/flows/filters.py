"""Which shared filters Odoo gets, and which it had before: none is created a second time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import DatabaseId
from amazon_bridge.odoo import filters
from amazon_bridge.odoo.filters import AccountInOdoo, Filter
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Setup

log = structlog.get_logger(__name__)


def configured(
    session: OdooSession, extras: Sequence[str], setups: Mapping[str, Setup]
) -> list[Filter]:
    """Return the filters that the configuration asks for.

    Args:
        session: a login.
        extras: names of kinds of filters, from `odoo.extras`.
        setups: what each account uses in Odoo, by its name.
    """
    by_kind: dict[str, Callable[[], Iterable[Filter | None]]] = {
        "orders": lambda: [filters.orders()],
        "accounts": lambda: _of_accounts(setups),
        "to_ship": lambda: [filters.to_ship()],
        "ship_by_today": lambda: [filters.ship_by_today(session)],
        "without_tracking": lambda: [filters.without_tracking(session)],
        "activities": filters.activities,
    }
    found = [each for kind, make in by_kind.items() if kind in extras for each in make()]
    return [each for each in found if each]


def _of_accounts(setups: Mapping[str, Setup]) -> Iterator[Filter]:
    """Yield a filter for each account whose orders differ in Odoo from those of the others."""
    accounts = [
        AccountInOdoo(name, of.company_id, of.warehouse_id, of.sales_team_id)
        for name, of in setups.items()
    ]
    number = Counter(map(_place, accounts))
    if len(accounts) > 1:
        yield from (filters.orders_of(each) for each in accounts if number[_place(each)] == 1)


def _place(account: AccountInOdoo) -> tuple[int, int, int]:
    return account.company_id, account.warehouse_id, account.sales_team_id


@dataclass(frozen=True, slots=True)
class Created:
    """The filters that were created, and why others could not be."""

    created: list[Filter] = field(default_factory=list)
    refused: list[tuple[Filter, ItemError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Filters:
    """The shared filters of one Odoo database."""

    ledger: Ledger
    session: OdooSession
    database: DatabaseId

    def missing(self, found: Sequence[Filter]) -> list[Filter]:
        """Those that Odoo never had."""
        unknown = [each for each in found if not self._was_created(each)]
        known = filters.existing(self.session, unknown)
        return [each for each in unknown if each not in known]

    def create(self, found: Sequence[Filter]) -> Created:
        """Create those that Odoo never had; a person may have deleted one since."""
        result = Created()
        for each in self.missing(found):
            try:
                filters.create(self.session, each)
            except ItemError as error:
                result.refused.append((each, error))
            else:
                log.info("odoo_filter_created", filter=each.reference)
                result.created.append(each)
        refused = [each for each, _ in result.refused]
        for each in found:
            if each not in refused:
                self.ledger.chores.note(self._chore(each))
        return result

    def _was_created(self, found: Filter) -> bool:
        return self.ledger.chores.was_begun(self._chore(found))

    def _chore(self, found: Filter) -> str:
        return f"{found.reference} in {self.database.uuid or self.database.name}"
