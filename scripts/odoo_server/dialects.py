"""Calls to an older Odoo, written with the names of Odoo 19.

The tests say what people do in Odoo 19's words; an older version calls some models, fields and
methods otherwise, or doesn't have them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Call = Callable[..., Any]

_UNTIL_18 = {
    ("res.company", "stock_text_confirmation"): "stock_move_sms_validation",
    ("res.groups", "user_ids"): "users",
    ("res.users", "group_ids"): "groups_id",
    ("sale.order.line", "product_uom_id"): "product_uom",
    ("sale.order.line", "tax_ids"): "tax_id",
    ("stock.picking", "reference_ids"): "group_id",
    ("stock.reference", "sale_ids"): "sale_id",
}
_UNTIL_17 = {
    ("account.tax", "price_include_override"): "price_include",
    ("product.product", "is_storable"): "detailed_type",
    ("product.template", "is_storable"): "detailed_type",
    ("product.product", "combo_ids"): "",
    ("stock.return.picking.line", "move_quantity"): "quantity",
}
_UNTIL_16 = {
    ("mail.template", "report_template_ids"): "report_template",
    ("sale.order", "locked"): "",
    ("stock.move", "quantity"): "quantity_done",
    ("stock.move", "picked"): "",
    ("stock.move.line", "picked"): "",
    ("stock.move.line", "quantity"): "qty_done",
}
_UNTIL_15 = {
    ("product.supplierinfo", "partner_id"): "name",
    ("stock.picking", "move_ids"): "move_lines",
}
_IN_14 = {("product.product", "is_storable"): "type", ("product.template", "is_storable"): "type"}
_FIELDS: tuple[tuple[int, Mapping[tuple[str, str], str]], ...] = (
    (18, _UNTIL_18),
    (17, _UNTIL_17),
    (16, _UNTIL_16),
    (15, _UNTIL_15),
    (14, _IN_14),
)
"""Older names of fields, by model; empty: there is none. Up to a version."""

_MODELS = {
    "stock.lot": (15, "stock.production.lot"),
    "stock.reference": (18, "procurement.group"),
    "stock.route": (15, "stock.location.route"),
}
"""Older names of models, up to a version."""

_METHODS = {
    ("account.move.reversal", "refund_moves"): (16, "reverse_moves"),
    ("stock.return.picking", "action_create_returns"): (17, "create_returns"),
}
"""Older names of methods, up to a version."""

IN_PART = "amazon_bridge_in_part"
"""Context of a credit note that stays a draft; until 16, one of all is posted at once."""

_LOCKED = "done"
"""The state of a locked sale order, until 16."""

_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "price_include": lambda value: value == "tax_included",
    "report_template": lambda _: False,
    "detailed_type": lambda value: "product" if value else "consu",
    "type": lambda value: value if isinstance(value, str) else "product" if value else "consu",
}
"""Values in the older words, by the older name."""

_NESTED = {
    "order_line": "sale.order.line",
    "move_ids": "stock.move",
    "line_ids": "stock.move",
    "seller_ids": "product.supplierinfo",
}
"""Models of the records that a field's commands create."""

_RELATED = {
    "sale_line_id": "sale.order.line",
    "order_line": "sale.order.line",
    "move_ids": "stock.move",
    "picking_id": "stock.picking",
    "reference_ids": "stock.reference",
}
"""Models of the fields that a dotted name passes."""


@dataclass(frozen=True)
class Dialect:
    """The words of one version.

    Args:
        version: Odoo's.
        execute: calls a method, as Odoo knows it: model, method, arguments, keyword arguments.
    """

    version: int
    execute: Call

    def rpc(self, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a method that is named as in Odoo 19."""
        match (model, method):
            case ("stock.quant", "action_apply_inventory") if self.version <= 14:  # noqa: PLR2004
                return None  # entering the quantity has applied it
            case ("stock.quant", "create"):
                context = {"inventory_mode": True, **kwargs.get("context", {})}
                kwargs = {**kwargs, "context": context}
            case ("stock.picking", "button_validate"):
                return self._validate(args, kwargs)
            case ("stock.return.picking", "create") if self.version <= 16:  # noqa: PLR2004
                args = [{**args[0], **self._return(args[0]["picking_id"])}]
            case ("account.move.reversal", "create") if self.version <= 16:  # noqa: PLR2004
                is_partial = kwargs.get("context", {}).get(IN_PART)
                args = [{**args[0], "refund_method": "refund" if is_partial else "cancel"}]
        return self._call(model, method, args, kwargs)

    def _return(self, transfer: int) -> dict[str, Any]:
        """The values of a return of all goods, which older versions show in the form only."""
        fields = ["product_id", "product_uom_qty", "location_id"]
        domain = [("picking_id", "=", transfer), ("state", "=", "done")]
        moves = self._call("stock.move", "search_read", [domain, fields], {})
        lines = [
            {
                "product_id": move["product_id"][0],
                "quantity": move["product_uom_qty"],
                "move_id": move["id"],
            }
            for move in moves
        ]
        return {
            "location_id": moves[0]["location_id"][0],
            "product_return_moves": [(0, 0, line) for line in lines],
        }

    def _call(self, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        args = list(args)
        if method == "create":
            args[0] = self._values(model, args[0])
        elif method == "write":
            args[1] = self._values(model, args[1])
        elif method in {"search", "search_count", "search_read"}:
            args[0] = [self._condition(model, each) for each in args[0]]
        requested = args[1] if method in {"read", "search_read"} and len(args) > 1 else []
        if requested:
            args[1] = [name for name in (self.field(model, each) for each in requested) if name]
        until, older = _METHODS.get((model, method), (0, method))
        method = older if self.version <= until else method
        result = self.execute(self.model(model), method, args, kwargs)
        return [self._row(model, row, requested) for row in result] if requested else result

    def _validate(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """From 17 on, what is reserved counts as done where nothing is entered.

        Of deliveries with several steps, what is left over is reserved again at once.
        """
        if self.version >= 17:  # noqa: PLR2004
            return self._call("stock.picking", "button_validate", args, kwargs)
        self._fill(args[0])
        kwargs = {**kwargs, "context": {"skip_immediate": True, **kwargs.get("context", {})}}
        result = self._call("stock.picking", "button_validate", args, kwargs)
        waiting = [("backorder_id", "in", args[0]), ("state", "=", "confirmed")]
        for row in self._call("stock.picking", "search_read", [waiting, ["state"]], {}):
            self._call("stock.picking", "action_assign", [[row["id"]]], {})
        return result

    def _fill(self, transfers: list[int]) -> None:
        domain = [("picking_id", "in", transfers), ("state", "not in", ["done", "cancel"])]
        fields = ["reserved_availability", "quantity", "picking_id"]
        moves = self._call("stock.move", "search_read", [domain, fields], {})
        begun = {move["picking_id"][0] for move in moves if move["quantity"]}
        for move in moves:
            if move["picking_id"][0] not in begun:
                values = {"quantity": move["reserved_availability"]}
                self._call("stock.move", "write", [[move["id"]], values], {})

    def model(self, name: str) -> str:
        until, older = _MODELS.get(name, (0, name))
        return older if self.version <= until else name

    def field(self, model: str, name: str) -> str:
        """This version's name of a field; empty if it has none."""
        first, dot, rest = name.partition(".")
        older = first
        for until, names in _FIELDS:
            if self.version <= until:
                older = names.get((model, first), older)
        return f"{older}{dot}{self.field(_RELATED.get(first, ''), rest)}" if dot else older

    def _condition(self, model: str, condition: Any) -> Any:
        if isinstance(condition, str):
            return condition
        name, operator, value = condition
        older = self.field(model, name)
        return (older, operator, _VALUES[older](value) if older in _VALUES else value)

    def _values(self, model: str, values: Any) -> Any:
        if isinstance(values, list):
            return [self._values(model, each) for each in values]
        translated = {}
        for name, value in values.items():
            older = self.field(model, name)
            nested = (
                [self._command(_NESTED[name], each) for each in value or []]
                if name in _NESTED
                else value
            )
            if older:
                known = older != name and older in _VALUES
                translated[older] = _VALUES[older](nested) if known else nested
        return translated

    def _command(self, model: str, command: Any) -> Any:
        if isinstance(command, list | tuple) and len(command) == 3 and command[0] in {0, 1}:  # noqa: PLR2004
            return (*command[:2], self._values(model, command[2]))
        return command

    def _row(self, model: str, row: dict[str, Any], requested: list[str]) -> dict[str, Any]:
        newer = {self.field(model, name): name for name in requested}
        known = {newer.get(name, name): value for name, value in row.items()}
        added = {name: True for name in requested if not self.field(model, name)}
        return self._unlocked({**added, **known}) if "locked" in added else {**added, **known}

    def _unlocked(self, row: dict[str, Any]) -> dict[str, Any]:
        """A sale order as since 17, where the lock is a field."""
        locked = row["state"] == _LOCKED
        return {**row, "locked": locked, "state": "sale" if locked else row["state"]}
