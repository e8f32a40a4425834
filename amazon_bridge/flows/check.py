"""What ``check`` examines: both remotes, for what the jobs need."""

from __future__ import annotations

from collections.abc import Iterable

from amazon_bridge.amazon import doctor as amazon_doctor
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.config import AccountConfig, Config
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.job import Job, load
from amazon_bridge.model import Finding
from amazon_bridge.odoo import doctor as odoo_doctor
from amazon_bridge.odoo.session import OdooSession


def examine_odoo(session: OdooSession, account: AccountConfig) -> list[Finding]:
    """Examine Odoo's modules, rights and records that the account's jobs need."""
    return odoo_doctor.examine(session, account, filter(account.runs, JOBS))


def examine_login(session: OdooSession, account: AccountConfig) -> list[Finding]:
    """Examine what of this doesn't depend on the account's records."""
    return odoo_doctor.examine_login(session, account, filter(account.runs, JOBS))


def examine_jobs(
    session: OdooSession, account: AccountConfig, ledger: Ledger, config: Config
) -> list[Finding]:
    """Examine what single jobs need of Odoo besides."""
    examinations = [job.odoo_check for job in JOBS if job.odoo_check and account.runs(job)]
    return [
        finding
        for examine in map(load, examinations)
        for finding in examine(session, account, ledger, config)
    ]


def examine_amazon(partner: SellingPartner, account: AccountConfig) -> list[Finding]:
    """Examine credentials, marketplaces, and what the jobs read at Amazon."""
    return amazon_doctor.examine(partner, account.marketplaces, probes(filter(account.runs, JOBS)))


def probes(jobs: Iterable[Job]) -> list[amazon_doctor.Probe]:
    """The read-only probes of these jobs."""
    return [load(job.amazon_check) for job in jobs if job.amazon_check]
