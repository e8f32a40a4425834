"""Checks whether the Odoo records that an account used before still exist."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup.fba import find_route
from amazon_bridge.odoo.setup.records import Setup


def is_current(session: OdooSession, setup: Setup) -> bool:
    """False if people have deleted, archived or changed a record that the account uses.

    A daemon remembers the ids for as long as this is true. Five calls to Odoo in the usual case.
    """
    session = session.for_company(setup.company_id)
    if find_route(session, setup.fba_location_id) is None or not _in_currency(session, setup):
        return False
    return all(_are_active(session, model, ids) for model, ids in _records(setup))


def _records(setup: Setup) -> Iterator[tuple[str, set[int]]]:
    """The ids by model. The route's rule has shown that the location and the rest of FBA exist."""
    products = setup.products
    goods = {products.sale, products.shipping, products.gift_wrap, products.discount}
    yield "product.product", goods | {products.rounding}
    yield "stock.warehouse", {setup.warehouse_id}
    yield "crm.team", {setup.sales_team_id}
    yield "account.tax", {setup.facilitator_tax_id or 0}
    yield "account.fiscal.position", {setup.fiscal_position_id or 0}
    yield "account.journal", {setup.payment_journal_id or 0} | _of(setup, "journal_id")
    yield "account.account", _accounts(setup)
    yield "res.partner", _of(setup, "partner_id")
    yield "res.users", {setup.salesperson_id or 0}


def _of(setup: Setup, field: str) -> set[int]:
    return {getattr(setup.settlement, field)} if setup.settlement else set()


def _accounts(setup: Setup) -> set[int]:
    """The accounts of settlements."""
    booked = setup.settlement
    if booked is None:
        return set()
    targets = {*booked.targets.values(), booked.owed, booked.interim, booked.fees_to_invoice}
    return {target.account_id for target in targets}


def _in_currency(session: OdooSession, setup: Setup) -> bool:
    """True if the pricelists exist with their currencies."""
    ids = sorted(setup.pricelists.values())
    rows = session.search_read("product.pricelist", [("id", "in", ids)], ["currency_id"])
    return {row["currency_id"][1]: row["id"] for row in rows} == dict(setup.pricelists)


def _are_active(session: OdooSession, model: str, ids: set[int]) -> bool:
    """True if none is archived: searches leave archived records out."""
    used_ids = ids - {0}
    if not used_ids:
        return True
    found = session.search_read(model, [("id", "in", sorted(used_ids))], ["id"])
    return len(found) == len(used_ids)
