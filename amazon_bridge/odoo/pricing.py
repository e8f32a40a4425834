"""The prices of sale order lines: solved from their taxes, written, and read back.

Taxes are read from the quotations, where Odoo has chosen them (product, fiscal position,
company). A cent that no unit price can reach becomes a rounding line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.odoo import sales
from amazon_bridge.odoo.prices import largest_rounding, unit_price
from amazon_bridge.odoo.sales import QUOTATION, Draft, Line, SaleOrder
from amazon_bridge.odoo.session import OdooSession, external
from amazon_bridge.odoo.taxes import FIXED, Tax, flattened


def set_prices(
    session: OdooSession, drafts: Sequence[Draft], ids: Mapping[str, int]
) -> dict[str, SaleOrder]:
    """Write the unit prices that result in each line's total, all in one transaction.

    Before Odoo 19, the taxes that differ from Odoo's choice are written in one before it.

    A quotation that has a price already is left as it is: it is finished, or a person works on
    it. A line that somebody has deleted is left out.

    Args:
        session: the login.
        drafts: of one company.
        ids: database ids of the sale orders, by Amazon order id.

    Returns:
        All these sale orders, read after the prices were written.

    Raises:
        ItemErrors: these orders have a line whose price can't be computed; nothing was written.
    """
    lines = _lines(session, ids.values())
    quotations = _unpriced(session, lines, drafts, ids)
    if not quotations:
        return sales.read(session, ids)
    taxes = _read_taxes(session, {id_ for each in quotations for id_ in each.tax_ids()})
    per_line = _rounds_per_line(session, lines, drafts[0].company_id)
    prices: dict[str, list[_Price]] = {}
    errors: dict[str, ItemError] = {}
    for quotation in quotations:
        order_id, digits = quotation.draft.order_id, session.capabilities.price_digits
        try:
            prices[order_id] = list(quotation.prices(taxes, digits, per_line=per_line))
        except ItemError as error:
            errors[order_id] = error
    if errors:
        raise ItemErrors(errors)
    return _write(session, prices, ids)


def _write(
    session: OdooSession, prices: Mapping[str, Sequence[_Price]], ids: Mapping[str, int]
) -> dict[str, SaleOrder]:
    """Write the prices of quotations, and read all sale orders."""
    written: dict[str, SaleOrder] = {}
    if session.capabilities.writes_trees:
        lines = {ids[id_]: {p.line.id: _values(session, p) for p in prices[id_]} for id_ in prices}
        written = sales.write_lines(session, {id_: ids[id_] for id_ in prices}, lines)
    else:
        every = [price for of_order in prices.values() for price in of_order]
        _write_taxes(session, [price for price in every if price.changes_taxes])
        _write_prices(session, every)
    rest = {order_id: id_ for order_id, id_ in ids.items() if order_id not in written}
    return written | (sales.read(session, rest) if rest else {})


def _values(session: OdooSession, price: _Price) -> dict[str, Any]:
    """What a line gets; its taxes are left out where they don't change."""
    cells = [*price.cells()[1:], *_manual(session, price.unit_price)]
    fields = ["price_unit", "discount", *_manual_fields(session)]
    values: dict[str, Any] = dict(zip(fields, map(float, cells), strict=True))
    if price.changes_taxes:
        values[session.capabilities.line_taxes] = [[_REPLACE, 0, list(price.tax_ids)]]
    return values


_REPLACE = 6  # the command of a many2many field that replaces its records


def _write_taxes(session: OdooSession, prices: Sequence[_Price]) -> None:
    """Write the taxes of lines that bear others than Odoo chose.

    Before the prices: an interrupted run computes the same ones again.
    """
    cells = [[str(price.line.id), ",".join(map(str, price.tax_ids))] for price in prices]
    fields = [".id", f"{session.capabilities.line_taxes}/.id"]
    session.load("sale.order.line", fields, cells, overwrite=True)


def _write_prices(session: OdooSession, prices: Sequence[_Price]) -> None:
    cells = [[*price.cells(), *_manual(session, price.unit_price)] for price in prices]
    fields = [".id", "price_unit", "discount", *_manual_fields(session)]
    session.load("sale.order.line", fields, cells, overwrite=True)


def _manual_fields(session: OdooSession) -> list[str]:
    return ["technical_price_unit"] if session.capabilities.has_computed_price else []


def _manual(session: OdooSession, price: Decimal) -> list[str]:
    """The cell that marks a price as entered manually: any other price than the line's.

    Without it Odoo takes a price of zero for one that it computed itself, and enters the list
    price when somebody changes the quantity (``sale.order.line._compute_price_unit``).
    """
    if not session.capabilities.has_computed_price:
        return []
    return ["0" if price else "-1"]


@dataclass(frozen=True, slots=True)
class _QuotationLine:
    """A line of a quotation in Odoo that has no price yet."""

    id: int
    tax_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Price:
    """What a line of a quotation gets."""

    line: _QuotationLine
    unit_price: Decimal
    percent_off: Decimal
    tax_ids: tuple[int, ...]

    @property
    def changes_taxes(self) -> bool:
        return set(self.tax_ids) != set(self.line.tax_ids)

    def cells(self) -> list[str]:
        return [str(self.line.id), f"{self.unit_price:f}", f"{self.percent_off:f}"]


@dataclass(frozen=True, slots=True)
class _Quotation:
    """A draft, and its lines in Odoo by external id."""

    draft: Draft
    lines_by_id: Mapping[str, _QuotationLine]

    def tax_ids(self) -> Iterator[int]:
        """The ids of all taxes that its lines may have."""
        for line in self.lines_by_id.values():
            yield from line.tax_ids
        if self.draft.facilitator_tax_id:
            yield self.draft.facilitator_tax_id

    def prices(
        self, known: Mapping[int, Tax], digits: int | None, *, per_line: bool
    ) -> Iterator[_Price]:
        """Unit price, discount and taxes of each line."""
        unit = self.draft.currency_unit if per_line else None
        for line in self.draft.lines:
            if line.product_id and line.external_id in self.lines_by_id:
                taxes = self._taxes(line, known)
                price = _price(line, taxes, unit, digits)
                tax_ids = tuple(tax.id for tax in taxes)
                in_odoo = self.lines_by_id[line.external_id]
                yield _Price(in_odoo, price, line.percent_off, tax_ids)

    def _taxes(self, line: Line, known: Mapping[int, Tax]) -> list[Tax]:
        """The taxes of a line.

        A discount line bears the taxes of the line that it is given on, except those of a fixed
        amount, which don't depend on the price. A line worth nothing bears no fixed tax either.
        """
        if line.untaxed:
            facilitator = self.draft.facilitator_tax_id
            return [known[facilitator]] if facilitator else []
        discounted = self.lines_by_id.get(line.discount_on or "")
        ids = (discounted or self.lines_by_id[line.external_id]).tax_ids
        taxes = [known[id_] for id_ in ids]
        return _without_fixed(taxes) if discounted or not line.full_total else taxes


def _without_fixed(taxes: list[Tax]) -> list[Tax]:
    flat = flattened(taxes)
    rest = [tax for tax in flat if tax.kind != FIXED]
    return taxes if len(rest) == len(flat) else rest


def _price(line: Line, taxes: list[Tax], unit: Decimal | None, digits: int | None) -> Decimal:
    left = 1 - line.percent_off / 100
    total = line.total if left else line.full_total
    if not total:
        return Decimal(0)
    price = unit_price(total, line.quantity, taxes, unit=unit) / (left or 1)
    return round(price, 10 if digits is None else digits)


_ROUNDING = "tax_calculation_rounding_method"


def _lines(session: OdooSession, order_ids: Iterable[int]) -> Sequence[Mapping[str, Any]]:
    rounding = [_ROUNDING] if session.capabilities.lines_tell_rounding else []
    fields = ["order_id", "state", "price_unit", session.capabilities.line_taxes, *rounding]
    return session.search_read("sale.order.line", [("order_id", "in", sorted(order_ids))], fields)


def _unpriced(
    session: OdooSession,
    lines: Sequence[Mapping[str, Any]],
    drafts: Sequence[Draft],
    ids: Mapping[str, int],
) -> list[_Quotation]:
    finished = {row["order_id"][0] for row in lines if row["price_unit"] or not _is_open(row)}
    open_ = [row for row in lines if row["order_id"][0] not in finished]
    names = session.external_ids("sale.order.line", [row["id"] for row in open_])
    lines_by_id = {
        names[row["id"]]: _QuotationLine(row["id"], tuple(row[session.capabilities.line_taxes]))
        for row in open_
        if row["id"] in names
    }
    parts = ((d, _part(lines_by_id, (line.external_id for line in d.lines))) for d in drafts)
    return [_Quotation(d, part) for d, part in parts if part and ids[d.order_id] not in finished]


def _is_open(line: Mapping[str, Any]) -> bool:
    """True if the line's order is a quotation."""
    return line["state"] in QUOTATION


def _part(
    lines_by_id: Mapping[str, _QuotationLine], keys: Iterable[str]
) -> dict[str, _QuotationLine]:
    return {key: lines_by_id[key] for key in keys if key in lines_by_id}


def _rounds_per_line(
    session: OdooSession, lines: Sequence[Mapping[str, Any]], company_id: int
) -> bool:
    """The company's method: taxes are rounded for each line, or for the whole order."""
    known = session.capabilities.lines_tell_rounding
    row = lines[0] if known else session.read("res.company", [company_id], [_ROUNDING])[0]
    return bool(row[_ROUNDING] == "round_per_line")


def _read_taxes(session: OdooSession, ids: Iterable[int]) -> dict[int, Tax]:
    fields = [
        *("name", "amount_type", "amount", "price_include", "include_base_amount", "sequence"),
        *("children_tax_ids", *session.capabilities.tax_flags),
    ]
    rows = {row["id"]: row for row in session.read("account.tax", sorted(ids), fields)}
    members = {id_ for row in rows.values() for id_ in row["children_tax_ids"]} - rows.keys()
    rows |= {row["id"]: row for row in session.read("account.tax", sorted(members), fields)}
    return {id_: _tax(row, rows) for id_, row in rows.items()}


def _tax(row: Mapping[str, Any], rows: Mapping[int, Mapping[str, Any]]) -> Tax:
    return Tax(
        id=row["id"],
        name=row["name"],
        kind=row["amount_type"],
        amount=Decimal(str(row["amount"])),
        included=bool(row["price_include"]),
        sequence=row["sequence"],
        affects_next=bool(row["include_base_amount"]),
        affected=bool(row.get("is_base_affected", True)),
        reversed=bool(row.get("has_negative_factor", False)),
        children=tuple(_tax(rows[id_], rows) for id_ in row["children_tax_ids"]),
    )


def add_rounding_lines(
    session: OdooSession,
    drafts: Sequence[Draft],
    orders: Mapping[str, SaleOrder],
    product_id: int,
) -> list[str]:
    """Add an untaxed rounding line to each order whose total differs by no more than rounding.

    Some totals can't be reached with a tax that is added to the price: no price in whole cents
    plus 20 % is 0.09. The external id of the line is ``sale_line_<Amazon order id>_rounding``.

    Returns:
        The Amazon order ids of these orders.
    """
    differences = {d.order_id: d.total - orders[d.order_id].total for d in drafts}
    off = [draft for draft in drafts if differences[draft.order_id]]
    most = _largest_roundings(session, off, orders)
    small = [order_id for order_id in most if abs(differences[order_id]) <= most[order_id]]
    fields = [
        *("id", "order_id/.id", "product_id/.id", "name", "product_uom_qty", "price_unit"),
        *(f"{session.capabilities.line_taxes}/.id", *_manual_fields(session)),
    ]
    rows = [
        [
            *(external(f"sale_line_{order_id}_rounding"), str(orders[order_id].id)),
            *(str(product_id), "Amazon Rounding", "1", f"{differences[order_id]:f}", ""),
            *_manual(session, differences[order_id]),
        ]
        for order_id in sorted(small)
    ]
    session.load("sale.order.line", fields, rows)
    return small


def _largest_roundings(
    session: OdooSession, drafts: Sequence[Draft], orders: Mapping[str, SaleOrder]
) -> dict[str, Decimal]:
    """The largest difference that rounding can cause, by Amazon order id."""
    ids = sorted(id_ for draft in drafts for id_ in orders[draft.order_id].line_ids)
    fields = ["product_uom_qty", "discount", "display_type", session.capabilities.line_taxes]
    lines = {row["id"]: row for row in session.read("sale.order.line", ids, fields)}
    taxes = _read_taxes(session, {t for row in lines.values() for t in _tax_ids(session, row)})
    digits = session.capabilities.price_digits
    return {
        draft.order_id: sum(
            (
                largest_rounding(
                    Decimal(str(row["product_uom_qty"])),
                    [taxes[id_] for id_ in _tax_ids(session, row)],
                    unit=draft.currency_unit,
                    digits=digits,
                    discount=Decimal(str(row["discount"])),
                )
                for id_ in orders[draft.order_id].line_ids
                if (row := lines.get(id_)) and not row["display_type"]
            ),
            Decimal(0),
        )
        for draft in drafts
    }


def _tax_ids(session: OdooSession, row: Mapping[str, Any]) -> list[int]:
    ids: list[int] = row[session.capabilities.line_taxes]
    return ids
