"""What a run did, in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from amazon_bridge.engine.errors import RateLimited


@dataclass(slots=True)
class Counts:
    """Result of a run, in numbers of items. ``error`` says why it failed, if it did."""

    seen: int = 0
    created: int = 0
    updated: int = 0
    cancelled: int = 0
    notified: int = 0
    unchanged: int = 0
    quarantined: int = 0
    error: str | None = None
    resume_in: float | None = None
    """Seconds after which the run can go on, if it ended before it was through."""
    rate_limited: bool = False
    """A rate limit ended it; else it waits for something that Amazon prepares."""
    stalled: bool = False
    """It ended before it got anything done, so it is no success."""

    @property
    def succeeded(self) -> bool:
        """Whether the run did its work, or at least some of what its rates allow at once."""
        return self.error is None and not self.stalled

    def __add__(self, other: Counts) -> Counts:
        """The sum of both, with the errors of both."""
        numbers = {name: n + getattr(other, name) for name, n in self.numbers().items()}
        both = Counts(
            **numbers,
            error=_joined(self.error, other.error),
            resume_in=self.resume_in,
            rate_limited=self.rate_limited or other.rate_limited,
            stalled=self.stalled or other.stalled,
        )
        if other.resume_in is not None:
            both.resume_after(other.resume_in)
        return both

    @property
    def final(self) -> Counts:
        """The same, of a run that is not resumed."""
        return replace(self, resume_in=None, rate_limited=False, stalled=False)

    def numbers(self) -> dict[str, int]:
        """The numbers of items, by name."""
        fields = asdict(self)
        del fields["error"], fields["resume_in"], fields["rate_limited"], fields["stalled"]
        return fields

    def as_json(self) -> dict[str, int | str | None]:
        """What a finished run did."""
        return {**self.numbers(), "error": self.error}

    def note_rate_limit(self, limit: RateLimited) -> None:
        """Note that the run ends before it is through, because a rate limit is exhausted."""
        self.rate_limited = True
        self.resume_after(limit.seconds)

    def resume_after(self, seconds: float) -> None:
        """Resume the run after this many seconds, or earlier if that was noted before."""
        known = self.resume_in
        self.resume_in = seconds if known is None else min(known, seconds)

    def note_error(self, error: object) -> None:
        """Add an error to those noted before; one that was noted already is not repeated."""
        self.error = _joined(self.error, str(error))


def _joined(noted: str | None, error: str | None) -> str | None:
    """Join both errors.

    Drop the second if it is contained in the first, or if the first exceeds ``_LONGEST_ERROR``
    characters.
    """
    if not noted or not error:
        return noted or error
    if error in noted or len(noted) > _LONGEST_ERROR:
        return noted
    return f"{noted} Also: {error}"


_LONGEST_ERROR = 1000
"""Characters: of a run in which everything failed in its own way, the first errors are enough."""
