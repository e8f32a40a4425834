"""The control addresses for sellers' money; amounts are decimal numbers in strings.

- ``GET /simulator/settlements``: closed settlements; ``POST``: ``{"currency": "EUR", "reserve":
  "5.00", "deposit": "2026-12-01", "deficit": "carry", "form": {"dates": "dots"}}`` closes one and
  publishes it
- ``POST /simulator/settlement_documents``: ``{"settlements": [ID, ...], "form": {...}}``, once more
- ``POST /simulator/refunds``: ``{"order": ID, "share": "0.5", "kind": "Refund"}``
- ``POST /simulator/money``: ``{"name": "advertising", "amount": "-12.00", "country": "FR"}``, or
  ``{"texts": ["ServiceFee", ...], ...}``
- ``POST /simulator/random_money``: ``{"seed": 1, "currency": "EUR", "orders": 20, ...}``
- ``GET /simulator/balances``: what Amazon owes each seller
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from amazon_bridge.simulator.money.forms import FileForm
from amazon_bridge.simulator.money.ledger import Balances
from amazon_bridge.simulator.money.money import Money
from amazon_bridge.simulator.money.random_ledger import Plan, random_ledger
from amazon_bridge.simulator.money.settlements import Settlement
from amazon_bridge.simulator.responses import invalid, not_found, require_known

Body = dict[str, Any]
Handler = Callable[[Money, Body], Any]


def _settlements(money: Money, _: Body) -> Any:
    return [_shown(settlement) for settlement in money.settlements()]


def _close(money: Money, body: Body) -> Any:
    require_known(body, "currency", "reserve", "deposit", "deficit", "form")
    deposit = body.get("deposit")
    settlement = money.close(
        currency=body.get("currency", "EUR"),
        reserve=_amount(body, "reserve", "0"),
        deposit=date.fromisoformat(deposit) if deposit else None,
        deficit=body.get("deficit", "charge"),
        form=_form(body),
    )
    return _shown(settlement)


def _publish(money: Money, body: Body) -> Any:
    require_known(body, "settlements", "form")
    closed = {settlement.settlement_id for settlement in money.settlements()}
    ids = body.get("settlements", [])
    if not isinstance(ids, list) or not ids or not set(ids) <= closed:
        raise invalid("settlements must be a list of ids of closed settlements.")
    return {"report": money.publish(*ids, form=_form(body))}


def _refund(money: Money, body: Body) -> Any:
    require_known(body, "order", "share", "kind", "goodwill")
    order_id = body.get("order")
    if all(order.order_id != order_id for order in money.world.orders):
        raise not_found("There is no such order.")
    event = money.refund(
        str(order_id),
        _amount(body, "share", "1"),
        kind=body.get("kind", "Refund"),
        goodwill=_amount(body, "goodwill", "0"),
    )
    return {"transaction": event.key, "total": str(event.total)}


def _enter(money: Money, body: Body) -> Any:
    require_known(body, "name", "texts", "amount", "country", "order")
    texts = tuple(body.get("texts", ()))
    event = money.fee(
        texts or body.get("name", ""),
        _amount(body, "amount", ""),
        country=body.get("country", "FR"),
        order_id=body.get("order", ""),
    )
    return {"transaction": event.key, "total": str(event.total)}


def _make_up(money: Money, body: Body) -> Any:
    names = [field.name for field in fields(Plan)]
    require_known(body, "seed", "currency", *names)
    plan = {name: body[name] for name in names if name in body}
    seed, currency = body.get("seed", 1), body.get("currency", "EUR")
    return [_shown(settlement) for settlement in random_ledger(money, seed, currency, **plan)]


def _balances(money: Money, _: Body) -> Any:
    return [
        {"seller": seller.seller_id, "currency": currency}
        | _amounts(money.balances(seller, currency))
        for seller in money.world.sellers.values()
        for currency in dict.fromkeys(market.currency for market in seller.markets)
    ]


def _shown(settlement: Settlement) -> Body:
    return {
        "settlement": settlement.settlement_id,
        "seller": settlement.account.seller_id,
        "currency": settlement.currency,
        "total": str(settlement.total),
        "start": str(settlement.start),
        "end": str(settlement.end),
        "deposit": str(settlement.deposit),
        "reports": settlement.report_ids,
    }


def _amounts(balances: Balances) -> Body:
    return {
        "total": str(balances.total),
        "available": str(balances.available),
        "deferred": str(balances.deferred),
        "account_level_reserve": str(balances.account_level_reserve),
    }


def _form(body: Body) -> FileForm:
    given = body.get("form", {})
    require_known(given, *(field.name for field in fields(FileForm)))
    lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    return FileForm(**(given | lists))


def _amount(body: Body, name: str, default: str) -> Decimal:
    try:
        return Decimal(str(body.get(name, default)))
    except InvalidOperation:
        raise invalid(f"{name} must be a decimal number.") from None


def _checked(handle: Handler) -> Handler:
    """The handler, with a 400 for values that it can't use."""

    def checked(money: Money, body: Body) -> Any:
        try:
            return handle(money, body)
        except (KeyError, StopIteration, TypeError, ValueError) as error:
            raise invalid(f"{type(error).__name__}: {error}") from None

    return checked


HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "settlements"): _checked(_settlements),
    ("POST", "settlements"): _checked(_close),
    ("POST", "settlement_documents"): _checked(_publish),
    ("POST", "refunds"): _checked(_refund),
    ("POST", "money"): _checked(_enter),
    ("POST", "random_money"): _checked(_make_up),
    ("GET", "balances"): _checked(_balances),
}
