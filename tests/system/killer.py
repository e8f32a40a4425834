"""Ends a run of the bridge in this process right after a call to a remote."""

from dataclasses import dataclass


class Killed(BaseException):
    """Ends a run as a kill does: nothing is cleaned up."""


@dataclass
class Killer:
    """Kills after a call of this operation, or after this call of any."""

    operation: str = "*"
    calls_left: int = 1
    """0: it doesn't kill any more; less: it only counts them."""

    def __call__(self, _remote: str, operation: str, *_: object) -> None:
        if self.calls_left and self.operation in {"*", operation}:
            self.calls_left -= 1
            if not self.calls_left:
                raise Killed
