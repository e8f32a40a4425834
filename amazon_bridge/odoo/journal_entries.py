"""Journal entries of settlements: created once, with exact balances, and posted.

An entry is loaded with external ids, of its lines too, so that it exists at most once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.amounts import amount_of
from amazon_bridge.odoo.entry_amounts import INTERIM, Amounts, Line, Rate, computed
from amazon_bridge.odoo.exchange_rates import currency_error, require_rates
from amazon_bridge.odoo.lock_dates import first_open_day
from amazon_bridge.odoo.paging import plain_rows
from amazon_bridge.odoo.session import OdooSession, chunks, external
from amazon_bridge.odoo.setup import SettlementSetup
from amazon_bridge.odoo.setup.settlement_records import account_title

__all__ = [
    "Booked",
    "BookedLine",
    "Entry",
    "Line",
    "as_booked",
    "create",
    "find",
    "find_of_settlement",
    "first_open_day",
    "post",
]

_MOVE, _MOVE_LINE = "account.move", "account.move.line"


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry. Its lines add up to zero."""

    reference: str
    """``settlement_<id>_<yyyymm>_<n>``: its external id, and its reference in Odoo."""
    date: date
    currency: str
    lines: Sequence[Line]

    @property
    def has_taxes(self) -> bool:
        """True if Odoo's tax lock date applies."""
        return any(line.target.tax for line in self.lines)


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry in Odoo."""

    id: int
    date: date
    is_posted: bool
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class BookedLine:
    """A line as Odoo has it, or will have it; lines of taxes included."""

    entry: str
    """The entry's reference."""
    date: date
    account: str
    """Code and name."""
    label: str
    debit: Decimal
    credit: Decimal
    """Debit and credit are in the company's currency."""
    currency: str
    amount_currency: Decimal


_FIELDS = ["state", "date"]


def find(session: OdooSession, references: Collection[str]) -> dict[str, Booked]:
    """The entries that exist, by reference."""
    wanted = set(references)
    ids: dict[str, int] = {}
    for some in chunks(sorted(wanted)):
        rows = session.search_read(_MOVE, [("ref", "in", some)], ["ref"])
        names = session.external_ids(_MOVE, [row["id"] for row in rows])
        ids |= {name: id_ for id_, name in names.items() if name in wanted}
    for reference in sorted(wanted - ids.keys()):  # people may have changed its reference
        if id_ := session.reference(reference):
            ids[reference] = id_
    return _read(session, ids)


def find_of_settlement(session: OdooSession, settlement_id: str) -> dict[str, Booked]:
    """The entries of a settlement that exist, by reference."""
    beginning = f"settlement_{settlement_id}_"
    rows = session.search_read(_MOVE, [("ref", "=like", f"{beginning}%")], ["ref"])
    names = session.external_ids(_MOVE, [row["id"] for row in rows])
    return _read(session, {n: id_ for id_, n in names.items() if n.startswith(beginning)})


def _read(session: OdooSession, ids: Mapping[str, int]) -> dict[str, Booked]:
    rows = {row["id"]: row for row in session.read(_MOVE, sorted(ids.values()), _FIELDS)}
    return {reference: _booked(rows[id_]) for reference, id_ in ids.items() if id_ in rows}


def _booked(row: Mapping[str, Any]) -> Booked:
    return Booked(
        id=row["id"],
        date=date.fromisoformat(row["date"]),
        is_posted=row["state"] == "posted",
        is_cancelled=row["state"] == "cancel",
    )


def create(
    session: OdooSession, setup: SettlementSetup, entries: Sequence[Entry]
) -> dict[str, Booked]:
    """Create the entries of one settlement as drafts, and compare them with Odoo's.

    Entries that exist are left as they are. After an interruption, call it again with all of
    them.

    Args:
        session: A login, restricted to the company.
        setup: Where settlements are booked.
        entries: All entries of the settlement; the last one has the payout.

    Raises:
        ItemError: Odoo refuses one of them (``odoo_refused``), it books something else
            (``settlement_entry_differs``), or lacks the currency or its rate
            (``settlement_currency``).
    """
    if not entries:
        return {}
    existing = find(session, [entry.reference for entry in entries])
    ids = {reference: booked.id for reference, booked in existing.items()}
    rate = _rate(session, setup, entries)
    for entry in entries:
        if entry.reference in existing and not _is_draft(existing[entry.reference]):
            continue
        carried = None
        if entry is entries[-1]:
            carried = _carried(session, setup, [ids[each.reference] for each in entries[:-1]])
        lines = computed(entry.lines, setup, rate, carried)
        if entry.reference not in ids:
            ids[entry.reference] = _load(session, setup, entry, lines, rate)
        _compare(session, entry, ids[entry.reference], lines)
    return _read(session, ids)


def _is_draft(booked: Booked) -> bool:
    return not (booked.is_posted or booked.is_cancelled)


def _carried(session: OdooSession, setup: SettlementSetup, ids: Sequence[int]) -> Decimal:
    """What the interim account has of other entries, in the company's currency."""
    if not ids:
        return Decimal()
    domain = [("move_id", "in", list(ids)), ("account_id", "=", setup.interim.account_id)]
    rows = session.search_read(_MOVE_LINE, domain, ["balance"])
    return sum((amount_of(row["balance"]) for row in rows), Decimal())


_HEAD = ["id", "ref", "date", "journal_id/.id", "currency_id/.id"]
_LINES = [
    f"line_ids/{name}"
    for name in (
        *("id", "account_id/.id", "partner_id/.id", "name", "currency_id/.id"),
        *("amount_currency", "balance", "tax_ids/.id"),
    )
]
_CONTEXT = {"skip_computed_taxes": True, "tracking_disable": True}
"""No taxes but ours, such as an account's default ones."""


def _load(
    session: OdooSession,
    setup: SettlementSetup,
    entry: Entry,
    lines: Sequence[Amounts],
    rate: Rate,
) -> int:
    currency = str(rate.currency_id)
    head = [external(entry.reference), entry.reference, entry.date.isoformat()]
    head += [str(setup.journal_id), currency]
    rows = []
    for line in (line for line in lines if line.reference):
        rows.append([*head, *_cells(entry, line, currency)])
        head = [""] * len(head)
    [id_] = session.load(_MOVE, [*_HEAD, *_LINES], rows, context=_CONTEXT)
    return id_


def _cells(entry: Entry, line: Amounts, currency: str) -> list[str]:
    return [
        *(external(f"{entry.reference}{line.reference}"), str(line.target.account_id)),
        *(str(line.partner_id or ""), line.label, currency),
        *(str(line.amount), str(line.balance), str(line.tax.id) if line.tax else ""),
    ]


_Sums = tuple[int, Decimal, Decimal]


def _compare(session: OdooSession, entry: Entry, id_: int, lines: Iterable[Amounts]) -> None:
    """Raise an ItemError if Odoo has other lines."""
    fields = ["account_id", "amount_currency", "balance"]
    rows = plain_rows(session, _MOVE_LINE, [("move_id", "=", id_)], fields)
    booked: Counter[_Sums] = Counter(
        (row["account_id"], amount_of(row["amount_currency"]), amount_of(row["balance"]))
        for row in rows
    )
    expected: Counter[_Sums] = Counter(
        (line.target.account_id, line.amount.normalize(), line.balance.normalize())
        for line in lines
    )
    if booked != expected:
        different = [next(iter(each), None) for each in (booked - expected, expected - booked)]
        odoo, ours = _texts(session, different)
        raise ItemError(
            "settlement_entry_differs",
            f"The draft {entry.reference} has in Odoo {odoo} where it should have {ours}.",
            "Somebody has changed the draft, or a module or tax adds lines to entries. Delete the"
            " draft in Odoo, then run `amazon-bridge quarantine retry` with the settlement's id.",
        )


def _texts(session: OdooSession, different: Sequence[_Sums | None]) -> list[str]:
    """Amounts on accounts, by their codes and names."""
    ids = sorted({sums[0] for sums in different if sums})
    rows = session.read("account.account", ids, ["code", "name"])
    names = {row["id"]: account_title(row) for row in rows}
    return [
        f"{sums[1]:.2f} ({sums[2]:.2f} in the company's currency) on {names[sums[0]]}"
        if sums
        else "no such line"
        for sums in different
    ]


def as_booked(
    session: OdooSession, setup: SettlementSetup, entries: Sequence[Entry]
) -> Iterator[BookedLine]:
    """What Odoo will have after ``create``, line for line; read-only.

    Raises:
        ItemError: As ``create``.
    """
    if not entries:  # a settlement whose rows cancel out, or without any
        return iter(())
    return _booked_lines(setup, entries, _rate(session, setup, entries))


def _booked_lines(
    setup: SettlementSetup, entries: Sequence[Entry], rate: Rate
) -> Iterator[BookedLine]:
    carried = Decimal()
    for entry in entries:
        is_last = entry is entries[-1]
        lines = computed(entry.lines, setup, rate, carried if is_last else None)
        carried += sum((line.balance for line in lines if line.reference == INTERIM), Decimal())
        yield from (_booked_line(entry, line, rate) for line in lines)


def _booked_line(entry: Entry, line: Amounts, rate: Rate) -> BookedLine:
    return BookedLine(
        entry=entry.reference,
        date=entry.date,
        account=line.target.account,
        label=line.label,
        debit=rate.company_rounded(max(line.balance, Decimal())),
        credit=rate.company_rounded(max(-line.balance, Decimal())),
        currency=entry.currency,
        amount_currency=rate.rounded(line.amount),
    )


def _rate(session: OdooSession, setup: SettlementSetup, entries: Sequence[Entry]) -> Rate:
    """The exchange rate of a settlement: that of its last entry's day.

    Raises:
        ItemError: Odoo lacks the currency, or its rate.
    """
    name, day = entries[-1].currency, max(entry.date for entry in entries)
    names = sorted({name, setup.currency})
    fields = ["name", "rate", "decimal_places"]
    context = {"date": day.isoformat()}
    rows = session.search_read("res.currency", [("name", "in", names)], fields, context=context)
    found = {row["name"]: row for row in rows}
    if name not in found or setup.currency not in found:
        raise currency_error(f"The currency {name} is not active in Odoo", f"activate {name}")
    own, company = found[name], found[setup.currency]
    if own is not company:
        require_rates(session, name, setup.currency, day)
    return Rate(
        currency_id=own["id"],
        digits=own["decimal_places"],
        rate=_exact(own["rate"]) / _exact(company["rate"]) if own is not company else Decimal(1),
        company_digits=company["decimal_places"],
    )


def _exact(value: float) -> Decimal:
    return Decimal(repr(value))


def post(session: OdooSession, ids: Collection[int]) -> None:
    """Post drafts; those that are posted already are no error."""
    for id_ in sorted(ids):
        try:
            session.call(_MOVE, "action_post", [id_])
        except ItemError:  # another process may have posted it
            if session.read(_MOVE, [id_], ["state"])[0]["state"] != "posted":
                raise
