"""Checks an account in Odoo: what works, and how to fix what doesn't. Read-only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.job import Job, OdooRight
from amazon_bridge.model import Finding
from amazon_bridge.odoo.index_check import examine_searches
from amazon_bridge.odoo.required_fields import examine_required_fields
from amazon_bridge.odoo.rights import has_group, may
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.settings_check import examine_fba_location, examine_mails, examine_prices
from amazon_bridge.odoo.setup import ARCHIVED, Missing, inspect
from amazon_bridge.odoo.transport.json2 import FIRST_VERSION, Json2

_OLDEST = 14
_TRIED = {14, 15, 16, 17, 18, 19}
"""The versions that the bridge was used with: docs/odoo-versions.md says how."""
_NEEDS_NO_EMAIL = (19, 0)
"""Notes are known to be posted by a login without an e-mail address from this version on."""

_SALES = "Sales: User: All Documents"

_INVOICING = (
    OdooRight("account.move", "create", "create invoices", "Invoicing"),
    OdooRight("account.move", "write", "post invoices", "Invoicing"),
    OdooRight("account.payment", "create", "register payments", "Invoicing"),
)
"""Needed if the account's ``invoicing`` says so."""

Examination = Callable[[OdooSession, AccountConfig], Iterable[Finding]]

_ALL_DOCUMENTS = "sales_team.group_sale_salesman_all_leads"


def examine(session: OdooSession, account: AccountConfig, jobs: Iterable[Job]) -> list[Finding]:
    """Check everything that an account's jobs need of Odoo, with an accepted login.

    Never raises for what it finds: an examination that Odoo refuses is a finding, too.
    """
    findings = examine_login(session, account, jobs)
    if session.capabilities.has_sale_stock:
        further = (_records, _required, _companies, _searches)
        findings += _examined(further, session, account)
    return findings


def examine_login(
    session: OdooSession, account: AccountConfig, jobs: Iterable[Job]
) -> list[Finding]:
    """Check what doesn't depend on the account's records: version, modules and rights."""
    findings = [_version(session), _transport(session), _privacy(session)]
    jobs = list(jobs)
    findings += _modules(session, jobs)
    if session.capabilities.has_sale_stock:  # else there is nothing more to check
        examinations = (partial(_rights, jobs), _all_documents, _e_mail)
        findings += _examined(examinations, session, account)
    return findings


def _examined(
    examinations: Iterable[Examination], session: OdooSession, account: AccountConfig
) -> list[Finding]:
    findings: list[Finding] = []
    for examine in examinations:
        try:
            findings += examine(session, account)
        except BridgeError as error:
            findings.append(Finding(ok=False, what=error.reason, remedy=error.remedy))
    return findings


def _version(session: OdooSession) -> Finding:
    major, minor = session.version
    what = f"Odoo {major}.{minor} is reachable and accepts the login"
    if major < _OLDEST:
        return Finding(ok=False, what=what, remedy=f"The bridge needs Odoo {_OLDEST} or newer.")
    advice = f"The bridge was not tried with Odoo {major}: try it on a copy of the database first."
    return Finding(ok=True, what=what, remedy="" if major in _TRIED else advice)


def _transport(session: OdooSession) -> Finding:
    ends = session.transport != Json2.title and session.version >= (FIRST_VERSION, 0)
    return Finding(
        ok=True,
        what=f"Calls go to Odoo by {session.transport}",
        remedy="XML-RPC and JSON-RPC end with Odoo 22 (autumn 2028). Before that, set odoo.protocol"
        " to json2, and odoo.password to an API key of the login."
        if ends
        else "",
    )


def _privacy(session: OdooSession) -> Finding:
    if session.is_private:
        return Finding(ok=True, what="The connection to Odoo is encrypted or local")
    return Finding(
        ok=True,
        what="The password and buyers' data are sent to Odoo without encryption",
        remedy="Use https in odoo.url, unless the network is private.",
    )


def _modules(session: OdooSession, jobs: Iterable[Job]) -> Iterator[Finding]:
    for module in dict.fromkeys(module for job in jobs for module in job.odoo_modules):
        is_installed = session.fields_of(module.model, [module.field])
        yield _present(is_installed, module.title, module.remedy)
    if not session.fields_of("sale.order", ["sale_order_template_id"]):
        yield Finding(
            ok=True,
            what="The app Sales (module sale_management) is not installed",
            remedy="Without it Odoo shows people no menu for sale orders.",
        )


def _present(is_installed: object, what: str, remedy: str) -> Finding:
    if is_installed:
        return Finding(ok=True, what=f"{what}: installed")
    return Finding(ok=False, what=f"{what}: not installed", remedy=remedy)


def _rights(jobs: Iterable[Job], session: OdooSession, account: AccountConfig) -> Iterator[Finding]:
    needed = [right for job in jobs for right in job.odoo_rights]
    needed += [] if account.invoicing.mode == "manual" else _INVOICING
    for right in dict.fromkeys(needed):
        allowed = may(session, right.model, right.operation)
        what = f"{right.purpose} ({right.operation} {right.model})"
        yield Finding(
            ok=allowed,
            what=f"The login may {'' if allowed else 'not '}{what}",
            remedy="" if allowed else f"Settings > Users > the login: give it {right.group}.",
        )


def _all_documents(session: OdooSession, _account: AccountConfig) -> Iterator[Finding]:
    """With access to own documents only, orders of other salespersons are invisible."""
    has_it = has_group(session, _ALL_DOCUMENTS)
    yield Finding(
        ok=has_it,
        what=f"The login sees {'all' if has_it else 'only its own'} sale orders",
        remedy="" if has_it else f"Settings > Users > the login: give it {_SALES}.",
    )


def _e_mail(session: OdooSession, _account: AccountConfig) -> Iterator[Finding]:
    """Odoo 14 refuses notes of a user without one; 19 accepts them."""
    has_one = bool(session.read("res.users", [session.uid], ["email"])[0]["email"])
    yield Finding(
        ok=has_one or session.version >= _NEEDS_NO_EMAIL,
        what=f"The login has {'an' if has_one else 'no'} e-mail address",
        remedy=""
        if has_one
        else "Settings > Users > the login: enter one, as notes have an author.",
    )


def _records(session: OdooSession, account: AccountConfig) -> Iterator[Finding]:
    inspection = inspect(session, account)
    if inspection.setup:
        yield Finding(
            ok=True,
            what="Company, warehouse, FBA location and route, sales team, fallback products, "
            "currencies and pricelists exist",
        )
    for one in inspection.missing:
        yield of_missing(one)
    for advice in inspection.advice:
        yield Finding(ok=True, what=advice.what, remedy=advice.remedy)
    if inspection.expected:
        session = session.for_company(inspection.expected.company_id)
        yield from examine_fba_location(session, inspection.expected)
        yield from examine_prices(session, inspection.expected)
        yield from examine_mails(session, inspection.expected)
        yield from _carriers(session, account)


def of_missing(missing: Missing) -> Finding:
    """What `check` says about a record that an account lacks."""
    kind = "Archived" if missing.archived else "Missing"
    return Finding(ok=False, what=f"{kind} in Odoo: {missing.what}", remedy=_remedy(missing))


def _carriers(session: OdooSession, account: AccountConfig) -> Iterator[Finding]:
    """A configured carrier that people can't select has no effect."""
    if not (account.carriers and session.capabilities.has_tracking):
        return
    known = set()
    for language in (session, session.in_users_language()):
        rows = language.search_read("delivery.carrier", [], ["name"])
        known |= {row["name"].strip().casefold() for row in rows}
    for name in account.carriers:
        if name.strip().casefold() not in known:
            yield Finding(
                ok=True,
                what=f"No delivery method is named {name}, as `carriers` of the account says",
                remedy="Inventory or Sales > Configuration > Delivery Methods: create it, or "
                "unarchive it (filter Archived); or correct `carriers`.",
            )


CREATED_BY_SETUP = "`amazon-bridge setup` creates it, and so does the next sync run."
"""The remedy of what the login may create."""


def _remedy(missing: Missing) -> str:
    if not missing.obstacle:
        return CREATED_BY_SETUP
    if missing.obstacle == ARCHIVED:
        return f"`amazon-bridge setup` unarchives it; or, in Odoo: {missing.how}."
    if missing.obstacle == missing.how:
        return f"{missing.how}."
    by_hand = f"; or: {missing.how}" if missing.how else ""
    return f"Run `amazon-bridge setup` with another login ({missing.obstacle}){by_hand}."


def _required(session: OdooSession, _account: AccountConfig) -> Iterator[Finding]:
    yield from examine_required_fields(session)


def _searches(session: OdooSession, _account: AccountConfig) -> Iterator[Finding]:
    yield from examine_searches(session)


def _companies(session: OdooSession, account: AccountConfig) -> Iterator[Finding]:
    user = session.read("res.users", [session.uid], ["company_id", "company_ids"])[0]
    if account.company is None and len(user["company_ids"]) > 1:
        yield Finding(
            ok=True,
            what=f"The login works in {len(user['company_ids'])} companies; the account's orders "
            f"go to its default, {user['company_id'][1]}",
            remedy="Set `company` of the account, so that orders don't follow the login's default.",
        )
