"""The records that an account needs in Odoo: found, adopted, or created once, with external ids.

Records that people created or changed in Odoo stay as they are: a location or a sales team of the
configured name is adopted, and a record that exists under our external id is never written.
What a person archived is unarchived only when a person asks for it (`amazon-bridge setup`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import AccountError
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import accounting, company, fba, pricelists, selling, settlements
from amazon_bridge.odoo.setup.current import is_current
from amazon_bridge.odoo.setup.records import (
    Advice,
    FallbackProducts,
    Inspection,
    Missing,
    Place,
    Setup,
)
from amazon_bridge.odoo.setup.settlement_records import EntryTax, SettlementSetup, Target, TaxShare
from amazon_bridge.odoo.setup.work import ARCHIVED, Work
from amazon_bridge.odoo.stock_places import locations, with_children

__all__ = [
    "ARCHIVED",
    "Advice",
    "EntryTax",
    "FallbackProducts",
    "Inspection",
    "Missing",
    "SettlementSetup",
    "Setup",
    "Target",
    "TaxShare",
    "inspect",
    "is_current",
    "prepare",
    "refusal",
    "stock_locations",
]


def prepare(session: OdooSession, account: AccountConfig, *, restore: bool = False) -> Setup:
    """Find what the account needs in Odoo, and create what is missing. Safe to repeat.

    Nine or ten calls when everything exists.

    Args:
        session: a login.
        account: the account to inspect.
        restore: also unarchive what people archived.

    Returns:
        The records; of settlements none if something is missing that only they need, unless
        ``restore``.

    Raises:
        AccountError: something is missing that the login may not make; lists all of it.
    """
    work = Work(session, account, create=True, restore=restore)
    setup = _run(work)
    lacking = [*work.missing, *(setup.settlement_missing if setup and restore else ())]
    if lacking or setup is None:
        raise refusal(account, lacking, in_setup=restore)
    return replace(setup, settlement=None) if setup.settlement_missing else setup


def refusal(
    account: AccountConfig, missing: Sequence[Missing], *, in_setup: bool = False
) -> AccountError:
    """The error of an account with missing records in Odoo, and its remedy.

    Args:
        account: That lacks them.
        missing: What it lacks.
        in_setup: `setup` has done what it could.
    """
    reason = f"Odoo lacks what account {account.name} needs: {_listed(missing)}."
    if in_setup or all(each.is_for_people for each in missing):
        return AccountError(reason, _CORRECT_FIRST if in_setup else _CORRECT)
    archived = [each for each in missing if each.archived]
    if len(archived) < len(missing):
        return AccountError(
            reason,
            "Run `amazon-bridge setup` with an administrator's login; `amazon-bridge check` shows "
            "what to do about each.",
        )
    how = "; ".join(dict.fromkeys(each.how for each in archived))
    return AccountError(
        reason, f"Run `amazon-bridge setup`, which unarchives it; or, in Odoo: {how}."
    )


_CORRECT = "Correct that; `amazon-bridge check` shows whether anything else is missing."
_CORRECT_FIRST = "Correct that, then run `amazon-bridge setup` again."


def _listed(missing: Sequence[Missing]) -> str:
    obstacles = dict.fromkeys(m.obstacle for m in missing)
    by_obstacle = [(o, [m.what for m in missing if m.obstacle == o]) for o in obstacles]
    return "; ".join(
        f"{', '.join(whats)}{f' ({obstacle})' if obstacle else ''}"
        for obstacle, whats in by_obstacle
    )


def inspect(session: OdooSession, account: AccountConfig) -> Inspection:
    """Read-only: the records the account uses, those it lacks, and advice."""
    work = Work(session, account, create=False)
    expected = _run(work)
    own = expected.settlement_missing if expected else ()
    return Inspection(expected, (*work.missing, *own), tuple(work.advice.values()))


def stock_locations(session: OdooSession, account: AccountConfig) -> frozenset[int]:
    """The ids of the locations whose goods an account may sell, with their children; read-only.

    Raises:
        AccountError: Odoo lacks the account's company, its warehouse or a location.
    """
    work = Work(session, account, create=False)
    place = company.find_place(work)
    if place is None:
        raise refusal(account, work.missing)
    session, company_id = session.for_company(place.company_id), place.company_id
    names, warehouse_id = account.stock.locations, place.warehouse_id
    found = locations(session, names, warehouse_id=warehouse_id, company_id=company_id)
    return with_children(session, found)


def _run(work: Work) -> Setup | None:
    place = company.find_place(work)
    if place is None:
        return None
    work.session = work.session.for_company(place.company_id)
    location_id, route_id = fba.ensure_location_and_route(work, place)
    invoices = work.account.invoicing.mode != "manual"
    payment_journal_id = accounting.ensure_payment_journal(work, place) if invoices else None
    setup = Setup(
        company_id=place.company_id,
        warehouse_id=place.warehouse_id,
        fba_location_id=location_id or 0,
        fba_route_id=route_id or 0,
        sales_team_id=selling.ensure_team(work, place) or 0,
        salesperson_id=selling.find_salesperson(work),
        products=selling.ensure_products(work),
        pricelists=pricelists.ensure_pricelists(work),
        facilitator_tax_id=accounting.ensure_facilitator_tax(work, place),
        fiscal_position_id=accounting.find_fiscal_position(work, place),
        payment_journal_id=payment_journal_id,
    )
    return _with_settlements(work, place, setup)


def _with_settlements(work: Work, place: Place, setup: Setup) -> Setup:
    """What only settlements need is noted apart: the other jobs go on without it."""
    if not work.account.settlements.is_on:
        return setup
    before = list(work.missing)
    journal_id = setup.payment_journal_id or accounting.ensure_payment_journal(work, place)
    settlement = settlements.ensure_settlements(work, place, journal_id)
    lacking = tuple(work.missing[len(before) :])
    work.missing = before
    return replace(
        setup, payment_journal_id=journal_id, settlement=settlement, settlement_missing=lacking
    )
