"""What must always hold, and how all must end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cast import History
from expectations import is_imported, worth
from figures import FIGURES
from parcels import KNOWN, key
from scene import ACCOUNTS, CARRIER
from shop import Rows, amount

from amazon_bridge.engine.records import Entry, State
from amazon_bridge.engine.window import OVERLAP
from amazon_bridge.simulator import Order
from amazon_bridge.simulator.orders import UNPAID

FOR_PEOPLE = {"needs_attention", "cancelled_on_amazon"}
"""Kinds of what only people can settle: Amazon and Odoo have gone different ways."""

CANCELLED = "Amazon: cancelled"
"""The subject of the note on a sale order that was cancelled because Amazon did."""


class Always(History):
    """Holds after each sync run, whatever happened before."""

    def check(self) -> None:
        self.steps += 1
        self._check_cursors()
        for order_id in self.orders:
            rows = self.sale_orders(order_id)
            assert len(rows) <= 1
            if rows:
                self.imported.add(order_id)
                assert rows[0]["note"] == self.notes.get(order_id, rows[0]["note"])
                assert order_id not in self.cancelled or rows[0]["state"] == "cancel"
            self._check_amazon(order_id)

    def _check_cursors(self) -> None:
        for account in ACCOUNTS:
            now, before = self.bridge.app.ledger.cursors.get(account), self.cursors.get(account)
            assert before is None or (now and now >= before)
            if now:
                self.cursors[account] = now

    def check_what_was_shown(self, began: dict[str, datetime]) -> None:
        """Each order shown to a run is done, left out, or quarantined with a reason."""
        changes_ago = int(self.habits.lagging_search)
        for order in self.world.searchable(self.scene.seller, changes_ago=changes_ago):
            account = self.account_of(order)
            entry = self.bridge.app.ledger.items.get(account, "orders", order.order_id)
            since = began.get(account, self.bridge.program.start) - OVERLAP
            if order.last_updated >= since and order.status not in UNPAID:
                assert entry, "shown, and not filed"
                self._check_newest_version_was_worked(order, entry)
            if entry:
                assert entry.state is not State.PENDING, entry
                assert bool(entry.reason) == (entry.state is State.QUARANTINED)

    def _check_newest_version_was_worked(self, order: Order, entry: Entry) -> None:
        """Also when an older one was shown after it."""
        if order.status == "CANCELLED" and entry.state is not State.QUARANTINED:
            assert all(row["state"] == "cancel" for row in self.sale_orders(order.order_id))

    def _check_amazon(self, order_id: str) -> None:
        order = self.world.order(order_id)
        mails = [m for m in self.world.mails if m.order_id == order_id]
        assert len({(m.kind, m.package_reference) for m in mails}) == len(mails)
        if order.fulfilled_by == "MERCHANT":
            for package in order.packages:
                if self.restored or package.reference in self.elsewhere:
                    continue
                domain = [("id", "=", int(package.reference)), ("state", "=", "done")]
                assert self.shop.search("stock.picking", domain, []), "confirmed, but not done"
        if any(item.cancelled_by == "MERCHANT" for item in order.items):
            assert order_id in self.ever_cancelled | self.deleted

    # After a run that nobody disturbed

    def check_deliveries(self) -> None:
        """Every done delivery of an FBM order is confirmed, pending or quarantined.

        Or there is proof that somebody else confirmed it: Amazon has all of the order as shipped,
        or counts the units that left, which a note on the delivery says.
        """
        for order_id in self.orders:
            order = self.world.order(order_id)
            confirmed = {package.reference for package in order.packages}
            for row in self.warehouse.transfers(order):
                left = row["state"] == "done" and row["picking_type_code"] == "outgoing"
                if left and order.fulfilled_by == "MERCHANT" and str(row["id"]) not in confirmed:
                    self._check_is_not_silent(row, order)

    def _check_is_not_silent(self, row: Mapping[str, Any], order: Order) -> None:
        entries = self._shipment_entries(row, order)
        seen = any(e.state in {State.PENDING, State.QUARANTINED} for e in entries)
        noted = KNOWN & set(self.shop.notes("stock.picking", row["id"]))
        proof = (order.status == "SHIPPED" or noted) and any(entries)
        assert seen or proof, "\n".join(self.whole_history(order))

    def whole_history(self, order: Order) -> list[str]:
        """For the diagnosis of a failure."""
        ledger = self.bridge.app.ledger
        transfers = self.warehouse.transfers(order)
        deliveries = [entry for row in transfers for entry in self._shipment_entries(row, order)]
        entries = [*ledger.items.with_key(order.order_id), *deliveries]
        on_amazon = (order.order_id, order.status, order.fulfilled_by, order.packages, order.items)
        return [
            str(each)
            for each in (on_amazon, *self.sale_orders(order.order_id), *transfers, *entries)
        ]

    def _shipment_entries(self, row: dict[str, Any], order: Order) -> list[Entry]:
        """What the state store knows of a delivery order."""
        ledger, account = self.bridge.app.ledger, self.account_of(order)
        entry = ledger.items.get(account, "pickings", key(order, row))
        return [entry] if entry else []

    def check_notes(self) -> None:
        """What a note says is so; who must act in Odoo finds an activity there."""
        for order_id in self.orders:
            for row in self.sale_orders(order_id):
                said = self.shop.notes("sale.order", row["id"])
                assert CANCELLED not in said or row["state"] == "cancel", said
        for entry in self.bridge.app.ledger.items.quarantined():
            if entry.account in ACCOUNTS and entry.job == "orders":
                for row in self.sale_orders(entry.key):
                    assert self._has_activity(row["id"]), entry

    def _has_activity(self, sale_order_id: int) -> bool:
        """An activity on the sale order or on one of its deliveries is open, or was done."""
        domain = [("sale_id", "=", sale_order_id)]
        transfers = self.shop.search("stock.picking", domain, [])
        records = [("sale.order", sale_order_id), *(("stock.picking", t["id"]) for t in transfers)]
        return any(self._has_activity_on(*record) for record in records)

    def _has_activity_on(self, model: str, id_: int) -> bool:
        about = [("model", "=", model), ("res_id", "=", id_), ("subject", "=", False)]
        done = self.shop.search("mail.message", about, [])
        return bool(done or self.shop.activities(model, id_))


class AtTheEnd(Always):
    """Holds when everything had time to settle."""

    def check_all_is_done(self) -> None:
        ledger = self.bridge.app.ledger
        aside = [e for e in ledger.items.quarantined() if e.account in ACCOUNTS]
        unexpected = [e for e in aside if e.kind not in FOR_PEOPLE and not self._is_loose(e)]
        assert not unexpected, unexpected
        assert all(e.remedy for e in aside), aside
        for order_id in self.orders:
            order = self.world.order(order_id)
            self._check_nobody_cancelled_what_left(order)
            entry = ledger.items.get(self.account_of(order), "orders", order_id)
            if entry and entry.state is State.QUARANTINED:
                FIGURES[f"orders quarantined in {self.stage.name}"] += 1
                continue
            assert entry is None or entry.state is not State.PENDING, entry
            self._check_is_in_odoo(order)
            if order_id not in self.loose:
                self._check_sides_agree(order)
        assert not any(ledger.feeds.open(account) for account in ACCOUNTS)

    def _is_loose(self, entry: Entry) -> bool:
        """It is about an order that people or Amazon changed."""
        return any(order_id in f"{entry.key} {entry.memo}" for order_id in self.loose)

    def _check_is_in_odoo(self, order: Order) -> None:
        """What isn't quarantined, and came in once or is to come in, is in Odoo."""
        expected = is_imported(order) or order.order_id in self.imported
        if expected and order.status != "CANCELLED" and order.order_id not in self.deleted:
            assert self.sale_orders(order.order_id), "\n".join(self.whole_history(order))

    def _check_nobody_cancelled_what_left(self, order: Order) -> None:
        if any(row["state"] == "done" for row in self.warehouse.transfers(order)):
            cancelled = self.sale_orders(order.order_id)[0]["state"] == "cancel"
            assert not cancelled or order.order_id in self.cancelled | self.loose

    def _check_sides_agree(self, order: Order) -> None:
        rows, history = self.sale_orders(order.order_id), "\n".join(self.whole_history(order))
        if is_imported(order) and order.order_id not in self.deleted:
            assert rows[0]["state"] in ("sale", "cancel"), history
            if order.order_id not in self.cancelled:  # perhaps before it had its prices
                assert amount(rows[0]["amount_total"]) == worth(order), history
        if order.status == "CANCELLED" and rows:
            assert rows[0]["state"] == "cancel", history
        if order.order_id in self.cancelled and order.fulfilled_by == "MERCHANT":
            assert order.status in ("CANCELLED", "SHIPPED", "PARTIALLY_SHIPPED"), history
        if rows and order.order_id not in self.deleted:
            assert len(self._customers(order)) == (order.fulfilled_by == "MERCHANT"), history
            created = order.created.strftime("%Y-%m-%d %H:%M:%S")
            assert rows[0]["date_order"] == created or self.forgetful, history
            self._check_goods(order, rows[0]["state"], history)

    def _customers(self, order: Order) -> Rows:
        domain = [("email", "=", order.buyer.email), ("parent_id", "=", False)]
        return self.shop.search("res.partner", domain, [])

    def _check_goods(self, order: Order, state: str, history: str) -> None:
        """What Amazon ships has left its location; of what the merchant ships Amazon knows."""
        transfers = self.warehouse.transfers(order)
        done = {str(row["id"]) for row in transfers if row["state"] == "done"}
        if order.fulfilled_by == "AMAZON":
            assert len(done) == (1 if state == "sale" else len(done)), history
        elif order.status != "CANCELLED":
            assert {package.reference for package in order.packages} == done, history

    def check_open_deliveries(self) -> None:
        """An activity says that what Amazon has as shipped or cancelled must not be packed."""
        for order_id in self.orders:
            order = self.world.order(order_id)
            is_over = order.status in ("SHIPPED", "CANCELLED") and order_id not in self.enlarged
            if order.fulfilled_by == "MERCHANT" and is_over:
                for row in self.sale_orders(order_id):
                    self._check_is_asked_to_stop(order, row["id"])

    def _check_is_asked_to_stop(self, order: Order, sale_order_id: int) -> None:
        for row in self.warehouse.transfers(order):
            is_open = row["state"] not in {"done", "cancel"}
            if is_open and row["picking_type_code"] == "outgoing":
                has_activity = self._has_activity_on("stock.picking", row["id"])
                assert has_activity or self._has_activity(sale_order_id), self.whole_history(order)

    def check_labels(self) -> None:
        """Amazon has the carrier that people see, and the tracking reference as it is now."""
        for order_id in self.orders:
            order = self.world.order(order_id)
            labels = {
                str(row["id"]): row["carrier_tracking_ref"]
                for row in self.warehouse.transfers(order)
                if not any(e.state is State.QUARANTINED for e in self._shipment_entries(row, order))
            }
            for package in order.packages:
                reference = labels.get(package.reference)
                if reference and not (self.restored or self.forgetful):
                    label = (package.carrier_code, package.tracking_number)
                    assert label == (CARRIER, reference.replace(" ", "")), self.whole_history(order)
