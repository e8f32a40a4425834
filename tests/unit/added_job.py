"""Uses a job that was just added, in a separate process: see ``test_add_a_job``.

Prints where the job shows, as JSON. Odoo is in memory; Amazon is not called.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from memory_odoo import MemoryApp, MemoryOdoo, connect
from prometheus_client import generate_latest

from amazon_bridge import app
from amazon_bridge.cli import main
from amazon_bridge.config import examine, load, schema
from amazon_bridge.flows.check import examine_odoo
from amazon_bridge.odoo import doctor
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.service import health, page
from amazon_bridge.service.gauges import Gauges
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.scheduler import scheduled_jobs
from amazon_bridge.service.sync_protocol import runs_of

CONFIG = """
http: null
log: {level: error}
odoo: {url: "http://127.0.0.1", database: memory, login: admin, password: admin}
accounts:
- name: acme
  seller_id: A1
  marketplaces: [FR]
  barcodes: true
  credentials: {client_id: client, client_secret: secret, refresh_token: token}
"""
OTHER = """- name: other
  seller_id: A2
  marketplaces: [FR]
  schedule: {barcodes: 2h}
  credentials: {client_id: client, client_secret: secret, refresh_token: token}
"""


def now() -> datetime:
    return datetime.now(UTC)


def run_command(path: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["--config", str(path), *arguments])
    assert result.exit_code in (0, 1), (result.output, result.exception)
    return result


def command(path: Path, *arguments: str) -> str:
    return run_command(path, *arguments).stdout


def counts_of(output: str, account: str) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads(output)["accounts"][account]["barcodes"]
    return counts


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def shown_without(path: Path, odoo: OdooSession) -> dict[str, Any]:
    """What shows where no account has the job on."""
    head, _, _ = CONFIG.partition("- name")
    path.write_text(head + OTHER, encoding="utf-8")
    config = load(path, {})
    runner = JobRunner(now)
    runner.app = app.App(config, clock=now)
    synced = run_command(path, "sync", "barcodes", "--json")
    foreseen = run_command(path, "sync", "barcodes", "--json", "--dry-run")
    return {
        "scheduled": [each.job for each in scheduled_jobs(config)],
        "sync all": [job for _, job in runs_of("all", config.accounts)],
        "message": synced.stderr,
        "synced": counts_of(synced.stdout, "other"),
        "foreseen": counts_of(foreseen.stdout, "other"),
        "check": [each.what for each in examine_odoo(odoo, config.accounts[0])],
        "page": plain(page.show(runner, now()).get_data(as_text=True)),
        "advice": [each.what for each in examine(path, {})],
    }


def main_() -> None:
    odoo = MemoryOdoo()
    people = connect(odoo)
    people.call("product.product", "create", {"name": "Mug", "default_code": "MUG"})
    people.call("product.product", "create", {"name": "Unnamed"})
    app.App._log_in = MemoryApp._log_in  # type: ignore[attr-defined]
    app.App.server = odoo  # type: ignore[attr-defined]
    # The Odoo in memory has not all that is examined.
    doctor.may = lambda *_: True
    for other in ("_all_documents", "_e_mail", "_records", "_companies"):
        setattr(doctor, other, lambda *_: [])

    path = Path("bridge.yaml")
    path.write_text(CONFIG + OTHER, encoding="utf-8")
    synced = command(path, "sync", "barcodes", "--json")
    config = load(path, {})
    runner = JobRunner(now)
    runner.app = app.App(config, clock=now)
    runner.scheduler.planned = scheduled_jobs(config)
    runner.run_now("acme", "barcodes")
    runner.counters.registry.register(Gauges(runner, now))
    metrics = generate_latest(runner.counters.registry).decode()
    html = page.show(runner, now()).get_data(as_text=True)
    report = {
        "schema": schema()["$defs"]["ScheduleConfig"]["properties"]["barcodes"],
        "schedule": next(
            str(each.schedule) for each in runner.scheduler.planned if each.job == "barcodes"
        ),
        "accounts": [e.account for e in runner.scheduler.planned if e.job == "barcodes"],
        "off": shown_without(path.with_name("off.yaml"), runner.app.odoo),
        "help": command(path, "sync", "--help"),
        "synced": counts_of(synced, "acme"),
        "quarantine": json.loads(command(path, "quarantine", "list", "--json")),
        "status": json.loads(command(path, "status", "--json"))["accounts"]["acme"]["jobs"],
        "health": [each["job"] for each in health.report(runner, now())["jobs"]],
        "metrics": re.findall(r'^\w+{account="acme",job="barcodes".*', metrics, re.MULTILINE),
        "page": plain(html),
        "check": [each.what for each in examine_odoo(runner.app.odoo, config.accounts[0])],
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main_()
