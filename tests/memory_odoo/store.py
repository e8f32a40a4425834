"""The tables of the in-memory Odoo. Rows are replaced and never changed, so copies are cheap."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from memory_odoo.faults import missing
from memory_odoo.fields import MOMENT

Row = dict[str, Any]
Snapshot = dict[str, dict[int, Row]]


class Store:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.tables: Snapshot = {}
        self.last_ids: dict[str, int] = {}
        """As PostgreSQL's sequences, these don't come back when a transaction fails."""
        self._indexes: dict[str, dict[str, Mapping[Any, list[int]]]] = defaultdict(dict)
        """By model and field, until a record of the model changes."""
        self._begun: Snapshot = {}
        """The tables as they were when the transaction or savepoint began."""

    def now(self) -> str:
        return self.clock().strftime(MOMENT)

    def snapshot(self) -> Snapshot:
        return {model: dict(table) for model, table in self.tables.items()}

    def restore(self, snapshot: Snapshot) -> None:
        self.tables = {model: dict(table) for model, table in snapshot.items()}
        self._indexes.clear()

    def begin(self) -> Snapshot:
        """Begin a transaction or savepoint. A table is copied when one of its records changes."""
        self._begun = dict(self.tables)
        return self._begun

    def roll_back(self, begun: Snapshot) -> None:
        """Undo what has changed since ``begin``."""
        self.tables, self._begun = dict(begun), begun
        self._indexes.clear()

    def table(self, model: str) -> dict[int, Row]:
        return self.tables.setdefault(model, {})

    def next(self, sequence: str) -> int:
        self.last_ids[sequence] = self.last_ids.get(sequence, 0) + 1
        return self.last_ids[sequence]

    def row(self, model: str, id_: int) -> Row:
        try:
            return self.table(model)[id_]
        except KeyError:
            raise missing(model, id_) from None

    def index(self, model: str, field: str) -> Mapping[Any, list[int]]:
        """The ids of all records by the value of a field that is False if it is empty."""
        index = self._indexes[model]
        if field not in index:
            ids: dict[Any, list[int]] = defaultdict(list)
            for id_, row in self.table(model).items():
                ids[row.get(field, False)].append(id_)
            index[field] = ids
        return index[field]

    def insert(self, model: str, values: Row) -> int:
        id_, now = self.next(model), self.now()
        self._put(model, id_, {**values, "id": id_, "create_date": now, "write_date": now})
        return id_

    def update(self, model: str, id_: int, values: Row) -> None:
        row = self.row(model, id_)
        self._put(model, id_, {**row, **values, "write_date": self.now()})

    def _put(self, model: str, id_: int, row: Row) -> None:
        self._changed(model)[id_] = row

    def _changed(self, model: str) -> dict[int, Row]:
        """The table of a model, to be changed."""
        self._indexes.pop(model, None)
        if self.table(model) is self._begun.get(model):
            self.tables[model] = dict(self.tables[model])
        return self.tables[model]

    def delete(self, model: str, id_: int) -> None:
        self.row(model, id_)
        del self._changed(model)[id_]

    # External ids: rows of ir.model.data, found by model and by name

    def external_id(self, name: str) -> Row | None:
        """The entry of ``module.name``, if there is one."""
        module, _, last = name.partition(".")
        entries = self.table("ir.model.data").values()
        return next((e for e in entries if (e["module"], e["name"]) == (module, last)), None)

    def external_ids_of(self, model: str, id_: int) -> list[Row]:
        entries = self.table("ir.model.data").values()
        return [e for e in entries if (e["model"], e["res_id"]) == (model, id_)]

    def name_record(self, name: str, model: str, id_: int, *, noupdate: bool = False) -> None:
        module, _, last = name.partition(".")
        assert self.external_id(name) is None, "the unique index of module and name"
        values = {"module": module, "name": last, "model": model, "res_id": id_}
        self.insert("ir.model.data", {**values, "noupdate": noupdate})
