"""Advice on a valid configuration: readable files, short tokens, keys without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

from amazon_bridge.config.models import AccountConfig, Config
from amazon_bridge.config.reading import read
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.model import Finding

_OTHERS = 0o004
_SHORTEST_TOKEN = 16


def examine(path: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Advice about a configuration file and the files of its secrets.

    Raises:
        ConfigError: The file is wrong.
    """
    config, sources = read(path, environ)
    open_to_all = [file for file in sorted(sources.files) if _is_open(file)]
    findings = [_open_secret(file) for file in open_to_all]
    if sources.in_the_file and _is_open(path):
        findings.insert(0, _open_configuration(path))
    shared = _parted_journals(config)
    return [*findings, *_short_token(config), *_idle_keys(config), *shared]


def _is_open(file: Path) -> bool:
    """Whether everybody on this machine may read it."""
    try:
        return bool(file.stat().st_mode & _OTHERS)
    except OSError:
        return False


def _open_configuration(path: Path) -> Finding:
    return Finding(
        ok=True,
        what=f"{path} holds secrets, and everybody on this machine may read it",
        remedy=f"chmod o= {path}; or keep the secrets elsewhere: {{file: PATH}}, "
        "{credential: NAME} or ${NAME}.",
    )


def _open_secret(file: Path) -> Finding:
    what = f"Everybody on this machine may read the secret in {file}"
    return Finding(ok=True, what=what, remedy=f"chmod o= {file}")


def _short_token(config: Config) -> Iterator[Finding]:
    token = config.http and config.http.token
    if token and len(token.get_secret_value()) < _SHORTEST_TOKEN:
        yield Finding(
            ok=True,
            what=f"http.token has fewer than {_SHORTEST_TOKEN} characters, and can be guessed",
            remedy="Write another one, such as `openssl rand -hex 16` makes.",
        )


def _idle_keys(config: Config) -> Iterator[Finding]:
    """Keys that somebody wrote, and that change nothing."""
    alerts = config.alerts
    if not alerts.notify:
        for key in sorted(alerts.model_fields_set - {"notify", "ping"}):
            yield _idle(f"alerts.{key}", "alerts.notify is empty")
    for account in config.accounts:
        for key, reason in _idle_account_keys(account):
            yield _idle(f"{key} of the account {account.name}", reason)


def _idle_account_keys(account: AccountConfig) -> Iterator[tuple[str, str]]:
    has_payments = account.invoicing.mode != "manual" or account.settlements.is_on
    if account.invoicing.payment_journal and not has_payments:
        yield "invoicing.payment_journal", "invoicing.mode is `manual`"
    for job in JOBS:
        if not account.runs(job):
            if job.name in account.schedule.model_fields_set:
                yield f"schedule.{job.name}", "the job is switched off"
        elif job.notify_amazon and not account.is_enabled(job):
            for key in sorted(account.model_fields_set & {*job.notify_amazon.used_keys}):
                yield key, f"notify_amazon.{job.notify_amazon.key} is `false`"


def _parted_journals(config: Config) -> Iterator[Finding]:
    """Accounts of one seller and currency whose payments a settlement does not meet."""
    booking = [account for account in config.accounts if account.settlements.is_on]
    for one, other in combinations(booking, 2):
        currencies = ", ".join(sorted(_currencies(one, other)))
        is_apart = one.seller_id == other.seller_id and _place(one) != _place(other)
        if is_apart and currencies:
            yield Finding(
                ok=True,
                what=f"Amazon settles the accounts {one.name} and {other.name} together"
                f" ({currencies}), and their payments are in different journals or companies: the"
                " orders of one of them stay open",
                remedy="Set the same company and payment_journal for both.",
            )


def _place(account: AccountConfig) -> tuple[str | None, str | None]:
    return account.company, account.invoicing.payment_journal


def _currencies(*accounts: AccountConfig) -> set[str]:
    """The currencies that all of them have."""
    return set.intersection(*({m.currency for m in a.marketplaces} for a in accounts))


def _idle(key: str, reason: str) -> Finding:
    return Finding(ok=True, what=f"{key} has no effect: {reason}", remedy="Change one of the two.")
