"""What an account needs in Odoo: found, adopted, or made once, with external ids.

What a person made or changed in Odoo stays as it is: a location or a sales team of the
configured name is adopted, and a record that exists under our external id is never written.
"""

from __future__ import annotations

from collections.abc import Sequence

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import AccountError
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import accounting, company, fba, pricelists, selling
from amazon_bridge.odoo.setup.records import Missing, Products, Setup
from amazon_bridge.odoo.setup.work import Work, may

__all__ = ["Missing", "Products", "Setup", "inspect", "may", "prepare"]


def prepare(session: OdooSession, account: AccountConfig) -> Setup:
    """Find what the account needs in Odoo, and make what is missing. Safe to repeat.

    Nine or ten calls when everything is there.

    Raises:
        AccountError: something is missing that the login may not make; lists all of it.
    """
    work = Work(session, account, create=True)
    setup = _run(work)
    if setup is None:
        raise AccountError(
            f"Odoo lacks what account {account.name} needs: {_listed(work.missing)}.",
            "Run `amazon-bridge setup` with an administrator's login; `amazon-bridge check` tells "
            "what to do about each.",
        )
    return setup


def _listed(missing: Sequence[Missing]) -> str:
    obstacles = dict.fromkeys(m.obstacle for m in missing)
    by_obstacle = [(o, [m.what for m in missing if m.obstacle == o]) for o in obstacles]
    return "; ".join(f"{', '.join(whats)} ({obstacle})" for obstacle, whats in by_obstacle)


def inspect(session: OdooSession, account: AccountConfig) -> tuple[Setup | None, list[Missing]]:
    """Look only: what the account works with if nothing is missing, and all that is missing."""
    work = Work(session, account, create=False)
    return _run(work), work.missing


def _run(work: Work) -> Setup | None:
    place = company.find_place(work)
    if place is None:
        return None
    work.session = work.session.for_company(place.company_id)
    location_id, route_id = fba.ensure_location_and_route(work, place)
    team_id = selling.ensure_team(work, place)
    salesperson_id = selling.find_salesperson(work)
    products = selling.ensure_products(work)
    by_currency = pricelists.ensure_pricelists(work)
    tax_id = accounting.ensure_facilitator_tax(work, place)
    fiscal_position_id = accounting.find_fiscal_position(work, place)
    journal_id = accounting.ensure_payment_journal(work, place)
    if work.missing or not (location_id and route_id and team_id and products):
        return None
    return Setup(
        company_id=place.company_id,
        warehouse_id=place.warehouse_id,
        fba_location_id=location_id,
        fba_route_id=route_id,
        sales_team_id=team_id,
        salesperson_id=salesperson_id,
        products=products,
        pricelists=by_currency,
        facilitator_tax_id=tax_id,
        fiscal_position_id=fiscal_position_id,
        payment_journal_id=journal_id,
    )
