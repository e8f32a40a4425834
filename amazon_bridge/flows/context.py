"""What a job needs to process one account."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine import runner
from amazon_bridge.engine.batch_size import BatchSize
from amazon_bridge.engine.errors import AccountError, ItemError, RateLimited, Transient
from amazon_bridge.engine.item_errors import access_refused, keeps_failing
from amazon_bridge.engine.lazy import Lazy
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.parallel import Pace
from amazon_bridge.flows.sampling import shuffled_by_order
from amazon_bridge.odoo.geography import Geography
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Setup, is_current

T = TypeVar("T")
R = TypeVar("R")

_LONGEST_SILENCE = timedelta(days=1)
"""Amazon fixes failing orders within hours. An item without a response for longer is quarantined,
else it would be retried forever."""

_LONGEST_REFUSAL = timedelta(minutes=30)
"""An item for which Amazon responds as if the account were refused, while it accepts others, is
retried for this long: a few runs, since it can be a temporary fault of Amazon's."""

_NO_RESPONSE = Transient(
    "Amazon does not show its order to this account.",
    "Look in Seller Central which seller it belongs to, then: amazon-bridge quarantine retry.",
)


def show_nobody(_line: str) -> None:
    """Nobody waits."""


def _with_nobody(_account: AccountConfig) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Context:
    """One account with its clients of Amazon and Odoo, and the state store."""

    account: AccountConfig
    amazon: SellingPartner
    odoo: OdooSession
    """Session in the account's company."""
    prepared: Lazy[Setup]
    known_setup: Setup
    """What the account works with in Odoo, as last checked: enough to search with."""
    geography: Geography
    ledger: Ledger
    accounts_by_marketplace: Mapping[str, str]
    """The names of the seller's accounts, including this one, by marketplace id."""
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    pace: Pace
    """How many batches may be written to Odoo at once."""
    batch_size: BatchSize = field(default_factory=BatchSize)
    """Adaptive size of these batches."""
    fba_locations: Collection[str] = ()
    """Complete names of the configured locations of goods at Amazon, of all accounts."""
    others: Sequence[AccountConfig] = ()
    """The other accounts whose quantities are sent to Amazon."""
    shares_stock: Callable[[AccountConfig], bool] = _with_nobody
    """Whether another account ships from any of this one's stock locations."""
    other_sellers: Collection[str] = ()
    """The names of the accounts of other sellers."""
    dry_run: bool = False
    """Change nothing: neither on Amazon or in Odoo nor in the state store."""
    show: Callable[[str], None] = show_nobody
    """Shows a line to the person who waits for a dry run."""

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def configured_accounts(self) -> frozenset[str]:
        """The names of all accounts.

        What the state store has of others, which were renamed, merged or removed, doesn't prove
        whose an order is now.
        """
        return frozenset([self.name, *self.accounts_by_marketplace.values(), *self.other_sellers])

    @property
    def setup(self) -> Setup:
        """What the account works with in Odoo, checked on first use: a quiet run needs none.

        Raises:
            AccountError: a record is archived, or missing and the login may not create it.
        """
        return self.prepared.get()

    def ensure_setup(self) -> None:
        """Check that what the account needs in Odoo still exists.

        Raises:
            AccountError: people deleted or archived some of it since this run began. No item is
                to blame for Odoo's refusals during the run.
        """
        if not is_current(self.odoo, self.setup):
            raise AccountError(
                "During this run somebody deleted, archived or changed in Odoo what account"
                f" {self.name} works with.",
                "The next run creates it again, or says what to do; no order is lost.",
            )

    def since(self, job: str, *, overlap: timedelta, first_look: timedelta) -> datetime:
        """The moment since when a job looks at changes in Odoo: before its last successful run."""
        last = self.ledger.runs.last_success(self.name, job)
        return last - overlap if last else self.clock() - first_look

    def one_by_one(
        self, job: str, items: Iterable[T], work: Callable[[T], R], *, key: Callable[[T], str]
    ) -> Iterator[tuple[T, R | ItemError | Transient]]:
        """Process filed items; give up those that got no response for a day.

        They are processed in another sequence each time, so that those without a response, and a
        rate limit, don't keep the same others from their turn. Items for which Amazon responds as
        if the account were refused are yielded last. They are given up after a day as well, or
        after half an hour if Amazon accepts others in this run.

        Raises:
            AccountError: Amazon is down; no further item is processed.
            RateLimited: the rate allows no further item now.
        """
        probe, limit = _Probe(self.amazon), None
        in_turn = shuffled_by_order(items, self.clock(), key=key)
        refused: list[tuple[T, Transient]] = []
        accepted = False
        try:
            for item, result in runner.one_by_one(in_turn, work, key=key, alive=probe.call):
                if isinstance(result, runner.RefusedItem):
                    refused.append((item, result))
                elif isinstance(result, Transient):
                    yield item, self._given_up(job, key(item), result, probe) or result
                else:
                    accepted = accepted or not isinstance(result, ItemError)
                    self.ledger.items.note_response(self.name, job, key(item))
                    yield item, result
        except RateLimited as error:
            limit = error
        longest = _LONGEST_REFUSAL if accepted else _LONGEST_SILENCE
        for item, refusal in refused:
            yield item, self._given_up(job, key(item), refusal, probe, longest) or refusal
        if limit:
            raise limit

    def _given_up(
        self,
        job: str,
        key: str,
        error: Transient,
        probe: _Probe,
        longest: timedelta = _LONGEST_SILENCE,
    ) -> ItemError | None:
        """Return the error of an item without a response for ``longest``, if Amazon is up.

        Raises:
            AccountError: Amazon refuses the account.
        """
        since = self.ledger.items.note_silence(self.name, job, key)
        if since is None or self.clock() - since < longest or not probe.responds():
            return None
        is_refused = isinstance(error, runner.RefusedItem)
        return access_refused(error) if is_refused else keeps_failing(error)

    def all_given_up(self, job: str, keys: Iterable[str]) -> dict[str, ItemError]:
        """Return by key the errors of items given up because Amazon doesn't show their orders."""
        probe = _Probe(self.amazon)
        errors = {key: self._given_up(job, key, _NO_RESPONSE, probe) for key in keys}
        return {key: error for key, error in errors.items() if error}


@dataclass(slots=True)
class _Probe:
    """Whether Amazon is up and accepts the account.

    Its result is used for any number of items: Amazon allows one such call a minute.
    """

    amazon: SellingPartner
    result: bool | None = None

    def call(self) -> None:
        """Call Amazon now; raises what the call raised."""
        self.amazon.marketplace_participations()
        self.result = True

    def responds(self) -> bool:
        """Whether Amazon responds now.

        Raises:
            AccountError: Amazon refuses the account.
        """
        if self.result is None:
            try:
                self.call()
            except (Transient, RateLimited):
                self.result = False
        return bool(self.result)
