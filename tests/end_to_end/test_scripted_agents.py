"""A user's Python class takes the place of built-in behaviour."""

import pytest
from markets import same, storm_model

from seawall.agents.alarm_tree import look_next_time
from seawall.agents.alarms import Use
from seawall.agents.liquidator import Liquidator
from seawall.agents.minter import Minter
from seawall.agents.trader import Trader
from seawall.models.stress import StressModel
from seawall.protocols import audit
from seawall.protocols.errors import BadAmount, InsufficientBalance, NotMarginCalled, StalePrice
from seawall.protocols.status import Action, Status


class Spendthrift(Minter):
    """Deposits ten tDOLLAR a round as long as it has them."""

    def step(self):
        if self.cash >= 10:
            try:
                self.deposit(10)
            except StalePrice:
                self.model.silences += 1


class Idle(Liquidator):
    """Never buys."""

    def step(self):
        pass


class Clumsy(Liquidator):
    """Takes the first margin-called CDP and offers what it can buy for a hundred tDOLLAR."""

    def step(self):
        for cdp in self.margin_called[:1]:
            tokens = self.buy_tokens(cdp, 100)
            self.purchase(cdp, tokens)


def test_a_scripted_row_does_what_the_class_says_and_books_balance():
    model = storm_model("minters.reserve=0.5", with_audit=True)
    model.silences = 0
    owner = model.script(Spendthrift, rows=[3])[0]
    collateral, cash = owner.cdp.collateral, owner.cash
    model.run_for(20)
    assert owner.cdp.collateral == collateral + 200
    assert owner.cash == cash - 200
    model.run()
    assert model.silences > 0


def test_scripted_liquidators_replace_the_compiled_ones():
    model = storm_model()
    model.script(Idle, rows=range(5))
    model.run()
    assert model.world.tallies[Action.PURCHASE, Status.OK] == 0
    assert model.summary()["liquidations"]["liquidations"].value == 0


def test_a_scripted_liquidator_buys_through_the_surface():
    model = storm_model("liquidators.count=1")
    buyer = model.script(Clumsy, rows=[0])[0]
    with pytest.raises((StalePrice, InsufficientBalance)):
        model.run()
    assert model.world.clock[0].events > 0
    assert set(model.liquidations()["liquidator"]) == {0}
    assert buyer.account == model.world.liquidators[0].account
    audit.check(model.world)


def test_refusals_are_named_and_change_nothing():
    model = storm_model()
    owner, liquidator = model.face(Minter, 0), model.face(Liquidator, 0)
    before = storm_model()
    with pytest.raises(InsufficientBalance, match="deposit refused: INSUFFICIENT_BALANCE"):
        owner.deposit(1e6)
    with pytest.raises(BadAmount):
        owner.withdraw(-1)
    with pytest.raises(NotMarginCalled):
        liquidator.purchase(0, 1.0)
    model.world.tallies[:] = 0
    look_next_time(before.world.alarms[Use.OWNER], 0)  # as looking at an owner's row does
    assert same(model.world, before.world)


def test_a_removed_agent_does_nothing_and_keeps_what_it_has():
    model = storm_model("minters.inattentive_share=0", "minters.reserve=1")
    quiet = next(agent for agent in model.agents if isinstance(agent, Minter))
    collateral = float(quiet.cdp.collateral)
    row = quiet.cdp
    quiet.remove()
    assert quiet not in model.agents
    model.run_for(100)
    assert row.collateral == collateral


def test_a_face_can_be_had_once_and_only_for_a_row_that_exists():
    model = storm_model()
    assert model.face(Trader, 4) is model.face(Trader, 4)
    with pytest.raises(IndexError, match="traders has 20 rows"):
        model.face(Trader, 20)


def test_a_model_without_arguments_runs_the_default_scenario():
    model = StressModel()
    assert model.tasset_names == ("tAAPL", "tTSLA", "tGME")
    assert model.running
    model.step()
    assert model.steps == 1
    assert len(model.agents_by_type[Minter]) == 1000
    frame = model.datacollector.get_model_vars_dataframe()
    assert ("market_price", "tTSLA") in frame.columns
    assert len(model.datacollector.get_agent_vars_dataframe()) == 1000
