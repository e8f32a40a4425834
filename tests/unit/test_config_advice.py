"""What `check` says of a configuration that works."""

from pathlib import Path

import pytest

from amazon_bridge.config import examine

ENVIRON = {"KEY": "odoo-key", "SECRET": "client-secret", "REFRESH": "refresh-token"}
LITERAL = {"password": "odoo-key", "client_secret": "client-secret", "refresh_token": "refresh"}
FROM_ENVIRONMENT = {
    "password": "${KEY}",
    "client_secret": "${SECRET}",
    "refresh_token": "${REFRESH}",
}


def advice(
    folder: Path,
    secrets: dict[str, str],
    mode: int = 0o600,
    head: str = "",
    account: str = "",
) -> dict[str, str]:
    path = folder / "bridge.yaml"
    path.write_text(
        f"{head}\n"
        "odoo: {url: 'https://erp.example.com', database: prod, login: bridge,"
        f" password: {secrets['password']!r}}}\n"
        "accounts:\n"
        "  - name: acme\n"
        "    seller_id: A3EXAMPLE\n"
        "    marketplaces: [FR]\n"
        "    credentials:\n"
        "      client_id: amzn1.application-oa2-client.0123\n"
        f"      client_secret: {secrets['client_secret']!r}\n"
        f"      refresh_token: {secrets['refresh_token']}\n"
        f"    {account}\n"
    )
    path.chmod(mode)
    found = examine(path, ENVIRON)
    assert all(finding.ok and finding.remedy for finding in found)
    return {finding.what: finding.remedy for finding in found}


def test_a_file_with_secrets_that_everybody_may_read(tmp_path: Path) -> None:
    (what, remedy) = next(iter(advice(tmp_path, LITERAL, 0o644).items()))
    assert what.endswith("bridge.yaml holds secrets, and everybody on this machine may read it")
    assert remedy.startswith(f"chmod o= {tmp_path / 'bridge.yaml'}")


@pytest.mark.parametrize(
    ("secrets", "mode"), [(LITERAL, 0o600), (LITERAL, 0o640), (FROM_ENVIRONMENT, 0o644)]
)
def test_nothing_is_said_of_what_others_may_not_read_or_may(
    tmp_path: Path, secrets: dict[str, str], mode: int
) -> None:
    assert advice(tmp_path, secrets, mode) == {}


@pytest.mark.parametrize(("mode", "said"), [(0o644, 1), (0o400, 0), (0o440, 0)])
def test_the_file_of_a_secret(tmp_path: Path, mode: int, said: int) -> None:
    file = tmp_path / "refresh"
    file.write_text("refresh-token")
    file.chmod(mode)
    found = advice(tmp_path, {**FROM_ENVIRONMENT, "refresh_token": f"{{file: {file}}}"}, 0o644)
    assert list(found.values()) == [f"chmod o= {file}"] * said


def test_a_token_that_can_be_guessed(tmp_path: Path) -> None:
    assert advice(tmp_path, LITERAL, head=f"http: {{token: {'x' * 16}}}") == {}
    (what,) = advice(tmp_path, LITERAL, head=f"http: {{token: {'x' * 15}}}")
    assert what.startswith("http.token has fewer than 16 characters")


@pytest.mark.parametrize(
    ("head", "account", "key"),
    [
        ("alerts: {after: 2h}", "", "alerts.after"),
        ("", "invoicing: {payment_journal: Amazon Payments}", "invoicing.payment_journal"),
        (
            "",
            "notify_amazon: {cancellations: false}\n    cancel_reason: PricingError",
            "cancel_reason",
        ),
        ("", "notify_amazon: {shipments: false}\n    carriers: {Van: Self Delivery}", "carriers"),
    ],
)
def test_keys_without_effect(tmp_path: Path, head: str, account: str, key: str) -> None:
    (what,) = advice(tmp_path, LITERAL, head=head, account=account)
    assert what.startswith(key)
    assert "has no effect" in what


@pytest.mark.parametrize(
    ("seller", "marketplaces", "journal", "said"),
    [
        ("A3OTHER", "FR", "Amazon", ""),
        ("A3OTHER", "FR", "Other", ""),
        ("A3EXAMPLE", "DE", "Other", "Amazon settles the accounts acme and other together (EUR)"),
        ("A3EXAMPLE", "DE", "Amazon", ""),
        ("A3EXAMPLE", "GB", "Other", ""),
    ],
)
def test_accounts_whose_settlements_meet(
    tmp_path: Path, seller: str, marketplaces: str, journal: str, said: str
) -> None:
    second = (
        "settlements: {mode: post}\n"
        "    invoicing: {payment_journal: Amazon}\n"
        "  - name: other\n"
        f"    seller_id: {seller}\n"
        f"    marketplaces: [{marketplaces}]\n"
        "    settlements: {mode: post}\n"
        f"    invoicing: {{payment_journal: {journal}}}\n"
        "    credentials: {client_id: amzn1.application-oa2-client.0123,"
        " client_secret: '${SECRET}', refresh_token: '${REFRESH}'}"
    )
    found = advice(tmp_path, FROM_ENVIRONMENT, account=second)
    assert len(found) == bool(said)
    assert all(said in what for what in found)
