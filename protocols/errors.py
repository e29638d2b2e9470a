"""Every error of Seawall, under one root.

A user's mistake (a bad scenario, a bad price file) is reported without a traceback, exit code 2; a refusal by a contract is raised only on
the Python surface, where a `Status` other than OK becomes the exception named here.
"""

from __future__ import annotations

from dataclasses import dataclass

from seawall.protocols.status import Status


class SeawallError(Exception):
    """Root of all errors that Seawall raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a scenario file: where, and what would be right."""

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        """The fault on one line, as editors and people read it: file:line: key: message."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class OptionError(SeawallError, ValueError):
    """Options of a command that do not go together; the text says which."""


class ScenarioError(SeawallError, ValueError):
    """A scenario that cannot be run; carries every fault found, not only the first."""

    def __init__(self, faults: list[Fault]) -> None:
        """Keep the faults; the text is one line each."""
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class PriceFileError(SeawallError, ValueError):
    """A price history that cannot be replayed; the text names file, line, column and value."""


class ConservationError(SeawallError, AssertionError):
    """The books do not balance: money came from nowhere or vanished. Always a defect of Seawall."""


class NumberError(SeawallError, ArithmeticError):
    """A figure of a market is not a number, or past counting. Always a defect of Seawall."""


class Refused(SeawallError):
    """A contract refused an action; nothing changed."""

    def __init__(self, status: Status, action: str) -> None:
        """Name the action and the contract's reason."""
        self.status = status
        super().__init__(f"{action} refused: {status.name}")


class StalePrice(Refused):
    """The oracle price is older than its validity."""


class BelowMinRatio(Refused):
    """The CDP's collateral ratio would fall below the minimum."""


class InsufficientBalance(Refused):
    """The account does not hold what it would pay."""


class NotMarginCalled(Refused):
    """The CDP is not below its minimum collateral ratio, so its collateral is not for sale."""


class BadAmount(Refused, ValueError):
    """Not a positive finite amount in whole units."""


_REFUSALS: dict[Status, type[Refused]] = {
    Status.STALE_PRICE: StalePrice,
    Status.BELOW_MIN_RATIO: BelowMinRatio,
    Status.INSUFFICIENT_BALANCE: InsufficientBalance,
    Status.NOT_MARGIN_CALLED: NotMarginCalled,
    Status.BAD_AMOUNT: BadAmount,
}


def raise_unless_ok(status: int, action: str) -> None:
    """Turn a refusal into the exception of its name; `Refused` for statuses without a class of their own."""
    if status != Status.OK:
        code = Status(status)
        raise _REFUSALS.get(code, Refused)(code, action)
