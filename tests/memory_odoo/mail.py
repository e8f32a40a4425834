"""Notes and activities on records."""

from memory_odoo.faults import protected
from memory_odoo.fields import Field, char, declared, integer, one, related, translated
from memory_odoo.model import Model, Values, public


class Messages(Model):
    name = "mail.message"
    order = "id desc"
    fields = declared(
        model=char(),
        res_id=integer(),
        subject=char(),
        body=char(),
        message_type=char(),
        subtype_id=one("mail.message.subtype"),
    )

    def create_one(self, values: Values) -> int:
        id_ = super().create_one(values)
        if (self.get(id_, "model"), self.get(id_, "res_id")) in self.env.protected:
            raise protected("Message", "create", id_)
        return id_


class Subtypes(Model):
    name = "mail.message.subtype"
    fields = declared(name=char())


class ActivityTypes(Model):
    name = "mail.activity.type"
    fields = declared(name=translated())


class Activities(Model):
    name = "mail.activity"
    order = "date_deadline, id"
    fields = declared(
        res_model_id=one("ir.model", "Document Model"),
        res_model=related("char", "res_model_id.model"),
        res_id=integer(),
        summary=char(),
        note=char(),
        activity_type_id=one("mail.activity.type", "Activity Type"),
        date_deadline=Field("date", "Due Date"),
        user_id=one("res.users"),
    )

    def create_one(self, values: Values) -> int:
        id_ = super().create_one(values)
        about = self.get(id_, "res_model"), self.get(id_, "res_id")
        if about[1] not in self.store.table(about[0]) or about in self.env.protected:
            raise protected("Activity", "create", id_)
        return id_

    @public
    def action_feedback(self, ids: list[int], feedback: str) -> int:
        said = {"body": f"<div>{feedback}</div>", "message_type": "notification"}
        message_id = 0
        for id_ in ids:
            about = {"model": self.get(id_, "res_model"), "res_id": self.get(id_, "res_id")}
            message_id = self.env["mail.message"].create_one({**said, **about})
        self.delete(ids)
        return message_id


MODELS = (Messages, Subtypes, ActivityTypes, Activities)
