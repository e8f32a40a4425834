"""Who works in the in-memory Odoo: users, their groups and languages; contacts are merged."""

from collections.abc import Iterable
from typing import Any

from memory_odoo.fields import char, declared, flag, many, one, translated
from memory_odoo.model import Model, Values, public

EVERYBODY = "base.group_user"
LOCKS_ORDERS = "sale.group_auto_done_setting"


class Users(Model):
    name = "res.users"
    fields = declared(
        name=char(),
        partner_id=one("res.partner"),
        login=char(),
        password=char(),
        email=char(),
        lang=char(default="en_US"),
        tz=char(),
        company_id=one("res.company"),
        company_ids=many("res.company"),
        group_ids=many("res.groups"),
    )

    @public
    def context_get(self) -> dict[str, Any]:
        user = self.env.uid
        return {"lang": self.get(user, "lang"), "tz": self.get(user, "tz"), "uid": user}

    @public
    def has_group(self, ids: list[int], group: str) -> bool:
        return True


class Groups(Model):
    name = "res.groups"
    fields = declared(name=translated(), implied_ids=many("res.groups"))

    def everybody_has(self, group: str) -> bool:
        """Whether every employee is in a group, as the settings' switches have it."""
        everybody, wanted = (self.store.external_id(name) for name in (EVERYBODY, group))
        assert everybody
        assert wanted
        return wanted["res_id"] in self.get(everybody["res_id"], "implied_ids")


class Settings(Model):
    """The settings' form; of its switches, *Lock Confirmed Sales*."""

    name = "res.config.settings"
    fields = declared(group_auto_done_setting=flag())

    @public
    def execute(self, ids: list[int]) -> dict[str, str]:
        groups = self.env["res.groups"]
        everybody, locks = (self.store.external_id(name) for name in (EVERYBODY, LOCKS_ORDERS))
        assert everybody
        assert locks
        command = 4 if self.get(ids[0], "group_auto_done_setting") else 3
        groups.change([everybody["res_id"]], {"implied_ids": [(command, locks["res_id"])]})
        return {"type": "ir.actions.client", "tag": "reload"}


class Languages(Model):
    name = "res.lang"
    order = "name, id"
    fields = declared(name=char(), code=char(), active=flag())

    def has(self, code: str) -> bool:
        return bool(self.found([("code", "=", code)]))


class Parameters(Model):
    name = "ir.config_parameter"
    fields = declared(key=char(), value=char())

    @public
    def get_param(self, key: str) -> Any:
        found = self.found([("key", "=", key)])
        return self.get(found[0], "value") if found else False


class ContactMerges(Model):
    """The wizard that merges contacts into one; its external ids become the other's."""

    name = "base.partner.merge.automatic.wizard"
    fields = declared(partner_ids=many("res.partner"), dst_partner_id=one("res.partner"))

    @public
    def action_merge(self, ids: list[int]) -> dict[str, str]:
        for id_ in ids:
            kept = self.get(id_, "dst_partner_id")
            self._merge(set(self.get(id_, "partner_ids")) - {kept}, kept)
        return {"type": "ir.actions.act_window", "res_model": self.name}

    def _merge(self, gone: Iterable[int], kept: int) -> None:
        for id_ in gone:
            for entry in self.store.external_ids_of("res.partner", id_):
                self.store.update("ir.model.data", entry["id"], {"res_id": kept})
            for model in (
                self.env[name] for name in ("res.partner", "sale.order", "stock.picking")
            ):
                self._point_to(model, id_, kept)
        self.env["res.partner"].delete(gone)

    def _point_to(self, model: Model, gone: int, kept: int) -> None:
        for name, field in model.fields.items():
            if field.relation == "res.partner" and field.type == "many2one":
                values: Values = {name: kept}
                for id_ in model.found([(name, "=", gone)], active_test=False):
                    self.store.update(model.name, id_, dict(values))


MODELS = (Users, Groups, Settings, Languages, Parameters, ContactMerges)
