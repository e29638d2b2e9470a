"""What all agents share: the faces of rows, the draw of who goes first, and the count of what was asked and answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import mesa

from seawall.protocols.amounts import floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.errors import raise_unless_ok
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR, Floats, Ints, Row, World

_BITS_31 = 0x7FFFFFFF
_BITS_32 = 0xFFFFFFFF


@rule
def mix(number: int) -> int:
    """Scatter an integer over 32 bits, so that neighbours land far apart (multiply and xor-shift; products stay below 2**59)."""
    number &= _BITS_32
    number = (((number >> 16) ^ number) * 0x45D9F3B) & _BITS_32
    number = (((number >> 16) ^ number) * 0x45D9F3B) & _BITS_32
    return (number >> 16) ^ number


@rule
def sort_rows(rows: Ints | Floats, first: int, end: int) -> None:
    """Sort `rows[first:end]` in place, ascending (Shell's sort: no memory, and quick where little is out of order)."""
    gap = 1
    while gap < (end - first) // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(first + gap, end):
            row, j = rows[i], i
            while j >= first + gap and rows[j - gap] > row:
                rows[j] = rows[j - gap]
                j -= gap
            rows[j] = row
        gap //= 3


@rule
def draw_order(rows: Ints, count: int, seed: int, step: int) -> None:
    """Bring the first `count` rows into a random order that depends on nothing but the seed, the round and the rows themselves.

    A row's rank is a draw of its own: another row joining or leaving does not change who of two others goes first.
    """
    if count < 2:
        return
    salt = mix(seed ^ mix(step))
    for i in range(count):
        rows[i] |= (mix(salt + rows[i]) & _BITS_31) << 31
    sort_rows(rows, 0, count)
    for i in range(count):
        rows[i] &= _BITS_31


@rule
def everybody(rows: Ints, count: int, seed: int, step: int) -> int:
    """Fill `rows` with all of a table of `count`, in this round's order; return how many."""
    for i in range(count):
        rows[i] = i
    draw_order(rows, count, seed, step)
    return count


@rule
def tally(tallies: Ints, action: Action, status: Status) -> None:
    """Count one answer. `tallies` is [actions, statuses]."""
    tallies[action.value, status.value] += 1


class Market(Protocol):
    """What an agent needs of the model it lives in."""

    world: World
    exchange: Any
    avmm: Any

    def retire(self, agent: MarketAgent) -> None:
        """Let nobody act for the agent's row any more."""


class MarketAgent(mesa.Agent):  # type: ignore[misc]  # Mesa has no types
    """A real Mesa agent that is the face of one row.

    Subclass one of its children, override `step()` in plain Python, and hand the class to `StressModel.script`.

    Attributes:
        index: row in its table.
        unique_id: the agent's account.
        row: view of the row; its columns are attributes and may be written.
    """

    kind: ClassVar[str]
    """Table of `World` that holds the rows."""

    act: Callable[..., None]
    """Compiled behaviour of one row; a static method."""

    model: Market

    def __init__(self, model: Market, index: int) -> None:
        """Bind the face to its row; made by the model when somebody looks at `model.agents`."""
        super().__init__(model)
        self.index = index
        self.unique_id = self.account
        getattr(mesa.Agent, "_ids", {}).pop(model, None)  # Mesa 3.3 counts ids in a table that would keep every model alive

    @property
    def world(self) -> World:
        """The market this agent lives in."""
        return self.model.world

    @property
    def row(self) -> Row:
        """The agent's row, a view."""
        return getattr(self.world, self.kind)[self.index]

    @property
    def account(self) -> int:
        """Row of `World.wallets`."""
        return int(self.row.account)

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return float(self.world.clock[0].now)

    @property
    def cash(self) -> float:
        """tDOLLAR in the wallet."""
        return self.holds(TDOLLAR)

    def holds(self, token: int) -> float:
        """Balance of a token (row of `World.tokens`)."""
        return float(self.world.wallets[self.account, token])

    def step(self) -> None:
        """Do what the compiled loop does for this row in a round."""
        type(self).act(self.world, self.index)

    def remove(self) -> None:
        """Stop acting for good. The row keeps what it owns and owes; nobody tends it any more."""
        self.model.retire(self)
        super().remove()

    def ask(self, action: Action, status: int) -> None:
        """Count an answer and raise the exception of its name if it is a refusal."""
        tally(self.world.tallies, action, Status(status))
        raise_unless_ok(status, action.name.lower())


class RoutedAgent(MarketAgent):
    """An agent of the tASSET market that trades on the RFQ book as well, where there is one."""

    def step(self) -> None:
        """Do what the compiled loop does for this row in a round."""
        type(self).act(self.world, self.index, self.model.avmm)


class ExchangeAgent(MarketAgent):
    """A Mesa agent whose row stands in a table of the exchange."""

    @property
    def exchange(self) -> Any:
        """The exchange this agent lives in (`agents.exchange.Exchange`)."""
        return self.model.exchange

    @property
    def row(self) -> Row:
        """The agent's row, a view."""
        return getattr(self.exchange, self.kind)[self.index]

    def step(self) -> None:
        """Do what the compiled loop does for this row in a round."""
        type(self).act(self.exchange, self.index)


class AvmmAgent(MarketAgent):
    """A Mesa agent whose row stands in a table of the RFQ market."""

    @property
    def avmm(self) -> Any:
        """The RFQ market this agent lives in (`agents.avmm.Avmm`)."""
        return self.model.avmm

    @property
    def row(self) -> Row:
        """The agent's row, a view."""
        return getattr(self.avmm, self.kind)[self.index]

    def step(self) -> None:
        """Do what the compiled loop does for this row in a round."""
        type(self).act(self.avmm, self.index)


def whole_units(quantity: float) -> float:
    """Round a user's number down to whole units of a token."""
    return floor_amount(float(quantity))
