"""What an account needs in Odoo: found, adopted, or made once, with external ids.

What a person made or changed in Odoo stays as it is: a location or a sales team of the
configured name is adopted, and a record that exists under our external id is never written.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import AccountError, ItemError
from amazon_bridge.odoo.session import MODULE, OdooSession

log = structlog.get_logger(__name__)

Found = TypeVar("Found")

_PRODUCTS = {
    "sale": ("Amazon Sale", "consu"),
    "shipping": ("Amazon Shipping", "service"),
    "gift_wrap": ("Amazon Gift Wrap", "service"),
    "discount": ("Amazon Discount", "service"),
    "rounding": ("Amazon Rounding", "service"),
}
"""Name and type of the fallback products, by the end of their external ids.

Goods, not a service, stand for an unknown SKU: they make stock moves, so that a delivery order
waits for FBM and an FBA order gets delivered.
"""
_UNTAXED = "rounding"

_METHOD_LINE = "account.payment.method.line"

_INVOICING_SINCE = (16, 0)
"""An invoice's lines have said what they are (``display_type``) since then."""

_LAST = "1000"
"""Sequence of our pricelists. Odoo gives customers of its own the first one that fits."""

_INVENTORY_ADMINISTRATOR = "Inventory: Administrator"
_SALES_ADMINISTRATOR = "Sales: Administrator"
_ACCOUNTING_ADMINISTRATOR = "Accounting or Invoicing: Administrator"


@dataclass(frozen=True, slots=True)
class Products:
    """The database ids of the fallback products."""

    sale: int
    shipping: int
    gift_wrap: int
    discount: int
    rounding: int


@dataclass(frozen=True, slots=True)
class Setup:
    """The database ids of what one account works with."""

    company_id: int
    warehouse_id: int
    fba_location_id: int
    fba_route_id: int
    """Leads the goods of a sale order line out of the FBA location to the customer."""
    sales_team_id: int
    salesperson_id: int | None
    products: Products
    pricelists: Mapping[str, int]
    """By currency, those of the account's marketplaces."""
    facilitator_tax_id: int | None = None
    """Of lines whose tax Amazon collects; None: they get no tax."""
    fiscal_position_id: int | None = None
    """Of all orders; None: Odoo finds the customer's."""
    payment_journal_id: int | None = None
    """Of the payments of invoices; None: none is registered."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that an account needs and Odoo hasn't."""

    what: str
    how: str
    """Where to click and which values to enter. Empty for what is known by its external id alone,
    and can't be made by hand."""
    obstacle: str
    """Why the bridge hasn't made it; empty when it only has not been asked to."""


def prepare(session: OdooSession, account: AccountConfig) -> Setup:
    """Find what the account needs in Odoo, and make what is missing. Safe to repeat.

    Nine or ten calls when everything is there.

    Raises:
        AccountError: something is missing that the login may not make; lists all of it.
    """
    work = _Work(session, account, create=True)
    setup = work.run()
    if setup is None:
        raise AccountError(
            f"Odoo lacks what account {account.name} needs: {_listed(work.missing)}.",
            "Run `amazon-bridge setup` with an administrator's login; `amazon-bridge check` tells "
            "what to do about each.",
        )
    return setup


def _listed(missing: Sequence[Missing]) -> str:
    obstacles = dict.fromkeys(m.obstacle for m in missing)
    by_obstacle = [(o, [m.what for m in missing if m.obstacle == o]) for o in obstacles]
    return "; ".join(f"{', '.join(whats)} ({obstacle})" for obstacle, whats in by_obstacle)


def inspect(session: OdooSession, account: AccountConfig) -> tuple[Setup | None, list[Missing]]:
    """Look only: what the account works with if nothing is missing, and all that is missing."""
    work = _Work(session, account, create=False)
    return work.run(), work.missing


def may(session: OdooSession, model: str, operation: str) -> bool:
    """Whether the login's groups allow ``create``, ``read``, ``write`` or ``unlink``.

    ``has_access`` since Odoo 18; before, and deprecated there, ``check_access_rights``.
    """
    if session.version >= (18, 0):
        return bool(session.call(model, "has_access", [], operation))
    return bool(session.call(model, "check_access_rights", operation, raise_exception=False))


@dataclass(frozen=True, slots=True)
class _Place:
    """The company and the warehouse, on which all the rest hangs."""

    company_id: int
    warehouse_id: int
    warehouse_code: str


@dataclass(frozen=True, slots=True)
class _Need:
    """One kind of thing that an account needs: how to describe it and who may make it."""

    what: str
    how: str
    model: str
    group: str
    operation: str = "create"


def _insistently(create: Callable[[], object]) -> None:
    """Make something that is made once however often it is tried.

    Where another process makes the same in this moment, Odoo may refuse it, with all kinds of
    texts; afterwards it finds what the other one made.

    Raises:
        ItemError: Odoo refuses it still.
    """
    try:
        create()
    except ItemError:
        create()


class _Work:
    """One look at Odoo for one account; collects what is missing."""

    def __init__(self, session: OdooSession, account: AccountConfig, *, create: bool) -> None:
        self.session = session
        self.account = account
        self.create = create
        self.missing: list[Missing] = []

    def run(self) -> Setup | None:
        place = self._place()
        if place is None:
            return None
        self.session = self.session.for_company(place.company_id)
        location_id, route_id = self._fba(place)
        team_id = self._sales_team(place)
        salesperson_id = self._salesperson()
        products = self._products()
        pricelists = self._pricelists()
        tax_id = self._facilitator_tax(place)
        fiscal_position_id = self._fiscal_position(place)
        journal_id = self._payment_journal(place)
        if self.missing or not (location_id and route_id and team_id and products):
            return None
        return Setup(
            company_id=place.company_id,
            warehouse_id=place.warehouse_id,
            fba_location_id=location_id,
            fba_route_id=route_id,
            sales_team_id=team_id,
            salesperson_id=salesperson_id,
            products=products,
            pricelists=pricelists,
            facilitator_tax_id=tax_id,
            fiscal_position_id=fiscal_position_id,
            payment_journal_id=journal_id,
        )

    def _ensure(
        self, need: _Need, find: Callable[[], Found], create: Callable[[], object]
    ) -> Found:
        """What ``find`` finds, perhaps only after ``create``; falsy where that doesn't help."""
        found = find()
        if found:
            return found
        obstacle = self._obstacle(need, create)
        if self.create:
            # Looked for after a refusal, too: another process may have made it in this moment.
            found = find()
            if found:
                log.info("odoo_record_made", model=need.model, account=self.account.name)
                return found
            archived = "the one that the bridge once made is archived, or has been changed"
            obstacle = obstacle or archived
        self.missing.append(Missing(need.what, need.how, obstacle))
        return found

    def _obstacle(self, need: _Need, create: Callable[[], object]) -> str:
        """Make it, if that is asked for; answer with what stands in the way."""
        if not may(self.session, need.model, need.operation):
            return f"the login may not make it: that takes the group {need.group}"
        try:
            if self.create:
                _insistently(create)
        except ItemError as error:
            return error.reason
        return ""

    def _lacks(self, what: str, how: str) -> None:
        """Note something that only a person can put right."""
        self.missing.append(Missing(what, how, how))

    # Company and warehouse

    def _place(self) -> _Place | None:
        if not self.session.names.has_sale_stock:
            self._lacks("the apps Sales and Inventory", "Apps: install both")
            return None
        company_id = self._company()
        if company_id is None:
            self._lacks(
                f"the company {self.account.company}",
                "Settings > Users > the login > Allowed Companies: add it; or correct `company` "
                "of the account",
            )
            return None
        place = self._warehouse(company_id)
        if place is None:
            self._lacks(
                f"a warehouse with the code {self.account.warehouse}"
                if self.account.warehouse
                else "a warehouse of the company",
                "Inventory > Configuration > Warehouses; or correct `warehouse` of the account",
            )
        return place

    def _company(self) -> int | None:
        if self.account.company is None:
            user = self.session.read("res.users", [self.session.uid], ["company_id"])[0]
            return int(user["company_id"][0])
        found = self.session.search_read(
            "res.company", [("name", "=", self.account.company)], ["id"]
        )
        return _first_id(found)

    def _warehouse(self, company_id: int) -> _Place | None:
        domain: list[Any] = [("company_id", "=", company_id)]
        if self.account.warehouse:
            domain.append(("code", "=", self.account.warehouse))
        found = self.session.for_company(company_id).search_read(
            "stock.warehouse", domain, ["code"], order="sequence, id", limit=1
        )
        return _Place(company_id, found[0]["id"], found[0]["code"]) if found else None

    # FBA

    def _fba(self, place: _Place) -> tuple[int | None, int | None]:
        name = self.account.fba_location or f"{place.warehouse_code}/Amazon"
        parent, _, last = name.rpartition("/")
        location_id = self._ensure(
            _Need(
                f"the stock location {name}",
                f"Inventory > Configuration > Locations > New: name {last}, parent {parent}, "
                "type Internal Location",
                "stock.location",
                _INVENTORY_ADMINISTRATOR,
            ),
            lambda: self._find_location(name, place),
            lambda: self._make_location(name, place),
        )
        route_id = self._ensure(
            _Need(
                f"a route out of {name} to the customers",
                "Inventory > Configuration > Routes > New: applicable on sales order lines, with "
                f"one rule: Pull From, from {name} to Partners/Customers, operation type an "
                "outgoing one of its own, supply method Take From Stock",
                self.session.names.route_model,
                _INVENTORY_ADMINISTRATOR,
            ),
            lambda: self._find_route(location_id),
            lambda: self._make_route(name, location_id, place),
        )
        return location_id, route_id

    def _find_location(self, name: str, place: _Place) -> int | None:
        domain = [
            ("complete_name", "=", name),
            ("usage", "=", "internal"),
            ("company_id", "in", [False, place.company_id]),
        ]
        found = self.session.search_read("stock.location", domain, ["id"], order="id", limit=1)
        return _first_id(found) or self.session.reference(_location_reference(name, place))

    def _make_location(self, name: str, place: _Place) -> None:
        parent, _, last = name.rpartition("/")
        domain = [("complete_name", "=", parent), ("company_id", "in", [False, place.company_id])]
        parents = self.session.search_read("stock.location", domain, ["id"]) if parent else []
        if parent and not parents:
            raise ItemError("no_parent", f"its parent location {parent} doesn't exist")
        self.session.load(
            "stock.location",
            ["id", "name", "usage", "location_id/.id", "company_id/.id"],
            [
                [
                    _external(_location_reference(name, place)),
                    last,
                    "internal",
                    str(_first_id(parents) or ""),
                    str(place.company_id),
                ]
            ],
        )

    def _find_route(self, location_id: int | None) -> int | None:
        """The rule decides: a route without it would take FBA goods out of the warehouse."""
        if location_id is None:
            return None
        domain = [
            ("location_src_id", "=", location_id),
            (f"{self.session.names.rule_destination}.usage", "=", "customer"),
            ("action", "=", "pull"),
            ("procure_method", "=", "make_to_stock"),
            ("picking_type_id.code", "=", "outgoing"),
            ("route_id.sale_selectable", "=", True),
            ("route_id.active", "=", True),
        ]
        rules = self.session.search_read("stock.rule", domain, ["route_id"], order="id", limit=1)
        return int(rules[0]["route_id"][0]) if rules else None

    def _make_route(self, name: str, location_id: int | None, place: _Place) -> None:
        if location_id is None:
            raise ItemError("no_location", f"the location {name} comes first")
        operation_type_id = self._make_operation_type(name, location_id, place)
        title, company = f"Amazon FBA {name}", str(place.company_id)
        route_id = self.session.load(
            self.session.names.route_model,
            ["id", "name", "sale_selectable", "product_selectable", "company_id/.id"],
            [[_external(f"route_{location_id}"), title, "1", "0", company]],
        )[0]
        rule = {
            "id": _external(f"rule_{location_id}"),
            "name": title,
            "route_id/.id": str(route_id),
            "action": "pull",
            "procure_method": "make_to_stock",
            "location_src_id/.id": str(location_id),
            f"{self.session.names.rule_destination}/id": "stock.stock_location_customers",
            "picking_type_id/.id": str(operation_type_id),
            "company_id/.id": company,
        }
        self.session.load("stock.rule", list(rule), [list(rule.values())])

    def _make_operation_type(self, name: str, location_id: int, place: _Place) -> int:
        values = {
            "id": _external(f"operation_type_{location_id}"),
            "name": f"Amazon FBA {name}",
            "code": "outgoing",
            # Part of the names of its transfers, which are unique in a company.
            "sequence_code": f"FBA{location_id}",
            "default_location_src_id/.id": str(location_id),
            "default_location_dest_id/id": "stock.stock_location_customers",
            "warehouse_id/.id": str(place.warehouse_id),
            "company_id/.id": str(place.company_id),
        }
        return self.session.load("stock.picking.type", list(values), [list(values.values())])[0]

    # Sales team and salesperson

    def _sales_team(self, place: _Place) -> int | None:
        name = self.account.sales_team
        return self._ensure(
            _Need(
                f"the sales team {name}",
                f"CRM or Sales > Configuration > Sales Teams > New: name {name}",
                "crm.team",
                _SALES_ADMINISTRATOR,
            ),
            lambda: self._find_team(name, place),
            lambda: self.session.load(
                "crm.team",
                ["id", "name", "company_id/.id"],
                [[_external(_team_reference(name, place)), name, str(place.company_id)]],
            ),
        )

    def _find_team(self, name: str, place: _Place) -> int | None:
        domain = [("name", "=", name), ("company_id", "in", [False, place.company_id])]
        found = self.session.search_read("crm.team", domain, ["company_id"], order="id")
        found.sort(key=lambda team: not team["company_id"])
        return _first_id(found) or self.session.reference(_team_reference(name, place))

    def _salesperson(self) -> int | None:
        login = self.account.salesperson
        if login is None:
            return None
        found = _first_id(self.session.search_read("res.users", [("login", "=", login)], ["id"]))
        if found is None:
            self._lacks(
                "the user that `salesperson` of the account names",
                "Settings > Users: make it or allow it in the company; or correct `salesperson`",
            )
        return found

    # Fallback products

    def _products(self) -> Products | None:
        titles = ", ".join(title for title, _ in _PRODUCTS.values())
        need = _Need(
            f"the products {titles}",
            "",
            "product.product",
            "Product: Create (before Odoo 17: Sales: Administrator)",
        )
        return self._ensure(need, self._find_products, self._make_products)

    def _find_products(self) -> Products | None:
        wanted = {f"product_{name}": title for name, (title, _) in _PRODUCTS.items()}
        found = self._find_ours("product.product", wanted)
        ids = {name.removeprefix("product_"): row["id"] for name, row in found.items()}
        return Products(**ids) if len(ids) == len(_PRODUCTS) else None

    def _make_products(self) -> None:
        fields = ["id", "name", "type", "list_price", "purchase_ok"]
        rows = {
            name: [_external(f"product_{name}"), title, kind, "0", "0"]
            for name, (title, kind) in _PRODUCTS.items()
        }
        untaxed = rows.pop(_UNTAXED)
        self.session.load("product.product", fields, list(rows.values()))
        self.session.load("product.product", [*fields, "taxes_id/.id"], [[*untaxed, ""]])

    # Taxes

    def _facilitator_tax(self, place: _Place) -> int | None:
        name = self.account.facilitator_tax
        if name is None:
            return None
        return self._ensure(
            _Need(
                f"the sales tax {name}",
                f"Accounting or Invoicing > Configuration > Taxes > New: name {name}, Sales, 0 %",
                "account.tax",
                _ACCOUNTING_ADMINISTRATOR,
            ),
            lambda: self._find_tax(name, place),
            lambda: self._make_tax(name, place),
        )

    def _fiscal_position(self, place: _Place) -> int | None:
        name = self.account.fiscal_position
        if name is None:
            return None
        domain = [("name", "=", name), ("company_id", "=", place.company_id)]
        found = _first_id(
            self.session.search_read("account.fiscal.position", domain, ["id"], limit=1)
        )
        if found is None:
            self._lacks(
                f"the fiscal position {name}",
                "Accounting or Invoicing > Configuration > Fiscal Positions: make it; or correct "
                "`fiscal_position` of the account",
            )
        return found

    def _find_tax(self, name: str, place: _Place) -> int | None:
        domain = [
            ("name", "=", name),
            ("type_tax_use", "=", "sale"),
            ("amount_type", "=", "percent"),
            ("amount", "=", 0),
            ("company_id", "=", place.company_id),
        ]
        return _first_id(self.session.search_read("account.tax", domain, ["id"], limit=1))

    def _make_tax(self, name: str, place: _Place) -> None:
        reference = f"tax_{place.company_id}_{_slug(name)}"
        row = [_external(reference), name, "sale", "percent", "0", str(place.company_id)]
        fields = ["id", "name", "type_tax_use", "amount_type", "amount", "company_id/.id"]
        self.session.load("account.tax", fields, [row])

    # Payments

    def _payment_journal(self, place: _Place) -> int | None:
        name = self.account.invoicing.payment_journal
        if self.account.invoicing.mode == "manual":
            return None
        if self.session.version < _INVOICING_SINCE:
            how = "leave `invoicing` at `mode: manual` with this one, and invoice by hand"
            self._lacks("Odoo 16 or newer, for `invoicing`", how)
            return None
        if name is None:
            return None
        return self._ensure(
            _Need(
                f"the journal {name} with an intermediary account",
                f"Accounting or Invoicing > Configuration > Journals: {name}, type Bank, whose "
                "incoming payments have an outstanding receipts account",
                "account.journal",
                _ACCOUNTING_ADMINISTRATOR,
            ),
            lambda: self._find_journal(name, place),
            lambda: self._make_journal(name, place),
        )

    def _find_journal(self, name: str, place: _Place) -> int | None:
        """Without an intermediary account, Odoo would make no entry of a payment."""
        domain = [
            ("journal_id.name", "=", name),
            ("journal_id.type", "=", "bank"),
            ("journal_id.company_id", "=", place.company_id),
            ("payment_account_id", "!=", False),
            ("payment_type", "=", "inbound"),
        ]
        rows = self.session.search_read(_METHOD_LINE, domain, ["journal_id"], limit=1)
        return int(rows[0]["journal_id"][0]) if rows else None

    def _make_journal(self, name: str, place: _Place) -> None:
        suffix = f"{place.company_id}_{_slug(name)}"
        domain = [("name", "=", name), ("company_id", "=", place.company_id)]
        standing = self.session.search_read("account.journal", domain, ["id"])
        if standing and not self.session.reference(f"journal_{suffix}"):
            raise ItemError("journal_incomplete", "the journal of this name lacks the account")
        account = {
            "id": _external(f"account_{suffix}"),
            "name": f"{name}: owed by Amazon",
            "code": self._free_code(),
            "account_type": "asset_current",
            "reconcile": "1",
        }
        [account_id] = self.session.load("account.account", list(account), [list(account.values())])
        row = [_external(f"journal_{suffix}"), name, "bank", str(place.company_id)]
        fields = ["id", "name", "type", "company_id/.id"]
        [journal_id] = self.session.load("account.journal", fields, [row])
        domain = [("journal_id", "=", journal_id), ("payment_type", "=", "inbound")]
        methods = self.session.search_read(_METHOD_LINE, domain, ["id"])
        rows = [[str(method["id"]), str(account_id)] for method in methods]
        self.session.load(_METHOD_LINE, [".id", "payment_account_id/.id"], rows, overwrite=True)

    def _free_code(self) -> str:
        """A code that no account has yet; the accountant may change it to their own."""
        rows = self.session.search_read("account.account", [("code", "=like", "AMZ%")], ["code"])
        taken = {row["code"] for row in rows}
        codes = (f"AMZ{number:03}" for number in range(1, len(taken) + 2))
        return next(code for code in codes if code not in taken)

    # Pricelists

    def _pricelists(self) -> dict[str, int]:
        currencies = sorted({m.currency for m in self.account.marketplaces})
        found = self._find_pricelists(currencies)
        if lacking := [currency for currency in currencies if currency not in found]:
            found |= self._lacking_pricelists(lacking)
        return found

    def _lacking_pricelists(self, currencies: Sequence[str]) -> dict[str, int]:
        names = ", ".join(currencies)
        active = self._ensure(
            _Need(
                f"the active currencies {names}",
                f"Accounting or Invoicing > Configuration > Currencies: activate {names}",
                "res.currency",
                _ACCOUNTING_ADMINISTRATOR,
                operation="write",
            ),
            lambda: self._find_currencies(currencies),
            lambda: self._activate(currencies),
        )
        found = self._ensure(
            _Need(
                f"the pricelists Amazon {names}",
                "",
                "product.pricelist",
                f"{_SALES_ADMINISTRATOR}, or {_INVENTORY_ADMINISTRATOR}",
            ),
            lambda: self._all_pricelists(currencies),
            lambda: self._make_pricelists(active),
        )
        return found or {}

    def _all_pricelists(self, currencies: Sequence[str]) -> dict[str, int] | None:
        found = self._find_pricelists(currencies)
        return found if len(found) == len(currencies) else None

    def _find_pricelists(self, currencies: Sequence[str]) -> dict[str, int]:
        wanted = {f"pricelist_{currency}": f"Amazon {currency}" for currency in currencies}
        ours = self._find_ours("product.pricelist", wanted, ["currency_id"])
        found = {name.removeprefix("pricelist_"): row for name, row in ours.items()}
        # One whose currency somebody changed would put an order into the wrong currency.
        return {c: row["id"] for c, row in found.items() if row["currency_id"][1] == c}

    def _make_pricelists(self, currencies: Mapping[str, int] | None) -> None:
        if not currencies:
            raise ItemError("no_currency", "the currencies have to be active first")
        self.session.load(
            "product.pricelist",
            ["id", "name", "currency_id/.id", "company_id/.id", "sequence"],
            [
                [_external(f"pricelist_{name}"), f"Amazon {name}", str(id_), "", _LAST]
                for name, id_ in sorted(currencies.items())
            ],
        )

    def _find_currencies(self, names: Sequence[str]) -> dict[str, int] | None:
        """Searches leave out what is not active."""
        rows = self.session.search_read("res.currency", [("name", "in", list(names))], ["name"])
        return {row["name"]: row["id"] for row in rows} if len(rows) == len(names) else None

    def _activate(self, names: Sequence[str]) -> None:
        domain = [("name", "in", list(names)), ("active", "=", False)]
        ids = [row["id"] for row in self.session.search_read("res.currency", domain, ["id"])]
        self.session.call("res.currency", "write", ids, {"active": True})

    def _find_ours(
        self, model: str, wanted: Mapping[str, str], fields: Sequence[str] = ("id",)
    ) -> dict[str, dict[str, Any]]:
        """Records by external id. Most still bear the name we gave them: two calls find these."""
        named = ("name", "in", sorted(wanted.values()))
        rows = {row["id"]: row for row in self.session.search_read(model, [named], fields)}
        names = self.session.external_ids(model, sorted(rows))
        found = {name: rows[id_] for id_, name in names.items() if name in wanted}
        for name in sorted(wanted.keys() - found.keys()):
            if id_ := self.session.reference(name):
                found[name] = self.session.read(model, [id_], fields)[0]
        return found


def _external(name: str) -> str:
    return f"{MODULE}.{name}"


def _location_reference(name: str, place: _Place) -> str:
    return f"location_{place.company_id}_{_slug(name)}"


def _team_reference(name: str, place: _Place) -> str:
    return f"sales_team_{place.company_id}_{_slug(name)}"


def _slug(name: str) -> str:
    """Readable, and different for different names, whatever their script."""
    readable = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"{readable}_{zlib.crc32(name.encode()):08x}"


def _first_id(rows: Sequence[Mapping[str, Any]]) -> int | None:
    return int(rows[0]["id"]) if rows else None
