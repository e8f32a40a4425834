"""What ``check`` examines for the stock job: locations, and SKUs without a product."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_bridge.config import AccountConfig, Config
from amazon_bridge.config.sku_settings import NO_SETTINGS
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.stock_records import SkuState
from amazon_bridge.model import Finding
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import inspect
from amazon_bridge.odoo.stock_places import fba_locations, find_places
from amazon_bridge.terminal import counted

_MOST_NAMED = 5


def examine(
    session: OdooSession, account: AccountConfig, ledger: Ledger, config: Config
) -> Iterator[Finding]:
    """Check the configured locations, and what the last comparison found."""
    yield _locations(session, account, config)
    yield from _skus(account, ledger)
    yield from _unlisted(account, ledger)


def _locations(session: OdooSession, account: AccountConfig, config: Config) -> Finding:
    setup = inspect(session, account).expected
    names = ", ".join(account.stock.locations) or "the warehouse's stock location"
    if setup is None:
        return Finding(ok=True, what=f"Stock at {names} was not examined")
    try:
        session = session.for_company(setup.company_id)
        find_places(
            session,
            account.stock.locations,
            warehouse_id=setup.warehouse_id,
            fba_location_ids=fba_locations(session, setup.fba_location_id, config.fba_locations),
            company_id=setup.company_id,
        )
    except BridgeError as error:
        return Finding(ok=False, what=error.reason, remedy=error.remedy)
    return Finding(ok=True, what=f"Stock is read at {names}")


def _skus(account: AccountConfig, ledger: Ledger) -> Iterator[Finding]:
    remedies = {
        SkuState.NO_PRODUCT: (
            "have no product in Odoo",
            "Enter the SKU as the product's internal reference, or map it in `product_map`.",
        ),
        SkuState.NOT_COUNTED: (
            "have a product whose stock Odoo doesn't count",
            "Inventory > Products > the product: switch Track Inventory on.",
        ),
    }
    counts = ledger.stock.counts(account.name)
    for state, (what, remedy) in remedies.items():
        if number := counts[state]:
            found = ledger.stock.in_states(account.name, [state], _MOST_NAMED)
            named = ", ".join(each.sku for each in found)
            more = ", ..." if number > _MOST_NAMED else ""
            text = f"{number} merchant-fulfilled SKUs {what}: {named}{more}"
            yield Finding(ok=True, what=text, remedy=remedy)


def _unlisted(account: AccountConfig, ledger: Ledger) -> Iterator[Finding]:
    """The SKUs with settings that none of Amazon's reports has: a misspelt one protects nothing."""
    catalogue = ledger.stock_catalogue
    places = [each.marketplace_id for each in account.marketplaces]
    if not all(catalogue.of(account.name, place).read for place in places):
        return
    configured = sorted({*(account.stock.skus or NO_SETTINGS).named, *account.stock.both})
    known = {each.sku for each in ledger.stock.known_all(account.name, configured)}
    if unlisted := [sku for sku in configured if sku not in known]:
        more = ", ..." if len(unlisted) > _MOST_NAMED else ""
        skus = counted(len(unlisted), "SKU")
        yield Finding(
            ok=True,
            what=f"Amazon has no listing of {skus} with settings of their own:"
            f" {', '.join(unlisted[:_MOST_NAMED])}{more}",
            remedy="Correct these SKUs in the file that `stock.skus` names and in `stock.both`: the"
            " SKUs that were meant have the account's settings.",
        )
