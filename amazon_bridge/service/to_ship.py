"""The section of the status page with the orders to ship."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from markupsafe import Markup

from amazon_bridge.config import AccountConfig
from amazon_bridge.flows.links import Links
from amazon_bridge.flows.ship_by.decide import OrderToShip, Risk, counts, risk_of
from amazon_bridge.flows.ship_by.show import odoo_url
from amazon_bridge.marketplaces import country_of
from amazon_bridge.service import ship_by
from amazon_bridge.service.job_runner import JobRunner

_MOST = 50
"""Longest list shown; `amazon-bridge late` has all."""

_COLOURS = {Risk.OVERDUE: "bad", Risk.DUE_TODAY: "wait", Risk.AT_RISK: "wait", Risk.ON_TRACK: ""}


def section(runner: JobRunner, accounts: Iterable[AccountConfig], now: datetime) -> Markup:
    """How many orders are to be shipped, and those that need somebody."""
    orders = ship_by.all_orders(runner, accounts)
    numbers = counts(orders, now)
    listed = [each for each in orders if risk_of(each, now) is not Risk.ON_TRACK]
    links = Links(runner.app.config, runner.app.ledger)
    items = Markup("").join(_item(order, now, links) for order in listed[:_MOST])
    return Markup("<section><h2>To ship <small>{}{}</small></h2>{}</section>").format(
        " · ".join(f"{number} {risk.replace('_', ' ')}" for risk, number in numbers.items()),
        f", the first {_MOST} are shown" if len(listed) > _MOST else "",
        items or Markup('<span class="soft">Nothing is late or at risk.</span>'),
    )


_ITEM = Markup(
    '<div class="item"><span class="dot {}"></span><code>{}</code>'
    ' <span class="soft">{} · {} · ship by {:%Y-%m-%d %H:%M}</span><p>{}</p></div>'
)


def _item(order: OrderToShip, now: datetime, links: Links) -> Markup:
    risk = risk_of(order, now)
    country = f", {country_of(order.marketplace_id)}" if order.marketplace_id else ""
    return _ITEM.format(
        _COLOURS[risk],
        linked(order.order_id, links.amazon(order.account, order.order_id, order.marketplace_id)),
        f"{order.account}{country}",
        risk.replace("_", " "),
        order.ship_by,
        linked(order.note, odoo_url(order, links)),
    )


def linked(text: str, url: str | None) -> Markup:
    """A text that leads to a page, if there is one."""
    if url is None:
        return Markup("{}").format(text)
    return Markup('<a href="{}">{}</a>').format(url, text)
