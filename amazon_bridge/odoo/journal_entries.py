"""Journal entries of settlements: created once, with exact balances, and posted.

An entry is loaded with external ids, of its lines too, so that it exists at most once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import SettlementSetup, Target


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an entry, before taxes."""

    reference: str
    """Suffix of its external id behind the entry's: ``_o_<order>``, ``_r_<order>`` (refund),
    ``_f_<category>_<marketplace>``, ``_interim``, ``_payout``."""
    target: Target
    label: str
    amount: Decimal
    """In the entry's currency, with the tax of its target; negative: credit."""
    partner_id: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry. Its lines add up to zero."""

    reference: str
    """``settlement_<id>_<yyyymm>_<n>``: its external id, and its reference in Odoo."""
    date: date
    currency: str
    lines: tuple[Line, ...]

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
    debit: Decimal
    """Sum of its debits, in its currency."""
    lines: int


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


def find(session: OdooSession, references: Collection[str]) -> dict[str, Booked]:
    """The entries that exist, by reference."""
    raise NotImplementedError


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
            (``settlement_entry_differs``), or lacks the currency (``settlement_currency``).
    """
    raise NotImplementedError


def as_booked(
    session: OdooSession, setup: SettlementSetup, entries: Sequence[Entry]
) -> list[BookedLine]:
    """What Odoo will have after ``create``, line for line; read-only.

    Raises:
        ItemError: As ``create``.
    """
    raise NotImplementedError


def post(session: OdooSession, ids: Collection[int]) -> None:
    """Post drafts."""
    raise NotImplementedError


def first_open_day(
    session: OdooSession, setup: SettlementSetup, day: date, *, has_taxes: bool
) -> date:
    """The day itself, or if Odoo's lock dates close it, the first day after them.

    Odoo posts an entry in a closed period with the day of today, without a word.
    """
    raise NotImplementedError
