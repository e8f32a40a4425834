"""Answers for `init`, and runs of the program in a folder without a configuration."""

from pathlib import Path
from typing import Any

from forks import Fork
from odoo_server.databases import OdooDatabase
from program import ENVIRONMENT, Run
from ruamel.yaml import YAML

from amazon_bridge.simulator import Seller, Simulator

Answers = dict[str, Any]


def answers_of(odoo: OdooDatabase, simulator: Simulator, *sellers: Seller) -> Answers:
    """What a file of answers holds at least, and the simulator's addresses."""
    access = odoo.access("xmlrpc")
    return {
        "odoo": {name: access[name] for name in ("url", "database", "login", "password")},
        "defaults": {"endpoint": simulator.url, "token_url": simulator.token_url},
        "accounts": [account_of(seller) for seller in sellers],
    }


def account_of(seller: Seller) -> Answers:
    names = ("client_id", "client_secret", "refresh_token")
    credentials = {name: getattr(seller, name) for name in names}
    return {"seller_id": seller.seller_id, "credentials": credentials}


def secrets_of(answers: Answers) -> list[str]:
    secrets = [each["credentials"] for each in answers["accounts"]]
    return [each[name] for each in secrets for name in ("client_secret", "refresh_token")]


def run(folder: Path, *arguments: str) -> Run:
    process = Fork(["-m", "amazon_bridge", *arguments], folder=folder, environment=ENVIRONMENT)
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in out + err
    return Run(arguments, process.returncode, out, err)


def init(folder: Path, answers: Answers, *options: str) -> Run:
    """Run `init` with a file of answers; no secret may be shown."""
    path = folder / "answers.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(answers, file)
    done = run(folder, "init", "--answers", str(path), *options)
    assert not any(secret in done.out + done.err for secret in secrets_of(answers))
    return done
