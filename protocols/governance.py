"""Governance: those who stake tEXO vote on what the contracts' terms shall be.

A poll is proposed against a deposit, voted on with staked tokens, ended once voting is over, and executed after a further delay (what it
then does: `decisions`). Tokens that have voted stay staked until voting is over, so that they do not vote twice. A poll that does not pass
changes nothing.

Source: 004_7b43fd311786c790.txt, "Whitelisting" and "Oracle Feeder" (what is decided by vote); quorum, threshold, periods and deposit from
MECHANICS.md section 1, "Parameters". The document is silent on the moment at which the stake is counted: here, when the poll is ended.
"""

from __future__ import annotations

from seawall.protocols import ledger, staking
from seawall.protocols.amounts import is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.decisions import are_terms_valid
from seawall.protocols.poll_terms import Choice, PollKind, PollState
from seawall.protocols.status import Status
from seawall.protocols.tables import GOVERNANCE_ACCOUNT, Floats, Row


@rule
def is_proposable(kind: int, value: float, accounts: int) -> bool:
    """Tell whether a value may be voted on: an account for a feeder, a fraction for a ratio or a discount."""
    if kind == PollKind.MIN_COLLATERAL_RATIO:
        return are_terms_valid(value, 0.0)
    if kind == PollKind.AUCTION_DISCOUNT:
        return are_terms_valid(1.0, value)
    if kind == PollKind.WHITELIST or kind == PollKind.REASSIGN_FEEDER:
        return 0.0 <= value < accounts and value % 1.0 == 0.0
    return False


@rule
def propose(poll: Row, terms: Row, wallets: Floats, proposer: int, kind: int, target: int, value: float, now: float) -> Status:
    """Open a poll and pay its deposit.

    Args:
        poll: unused row of `World.polls`; changed.
        terms: row of `World.governance`.
        wallets: `[accounts, tokens]`; changed through the ledger.
        proposer: account that pays.
        kind: `PollKind`.
        target: row of tassets.
        value: account of the feeder (WHITELIST, REASSIGN_FEEDER), or the new ratio or discount (fraction).
        now: seconds since the start.

    Returns:
        OK, or WRONG_POLL_STATE, BAD_TERMS, BAD_AMOUNT, INSUFFICIENT_BALANCE with nothing changed.
    """
    if poll.state != PollState.NONE:
        return Status.WRONG_POLL_STATE
    if not is_proposable(kind, value, len(wallets)):
        return Status.BAD_TERMS
    status = ledger.transfer(wallets, terms.token, proposer, GOVERNANCE_ACCOUNT, terms.deposit)
    if status != Status.OK:
        return status
    poll.proposer, poll.kind, poll.target, poll.value = proposer, kind, target, value
    poll.deposit, poll.created_at, poll.ends_at = terms.deposit, now, now + terms.voting_seconds
    poll.yes = poll.no = poll.abstain = 0.0
    poll.state = PollState.IN_PROGRESS.value
    return Status.OK


@rule
def vote(poll: Row, ballot: Row, terms: Row, stake: Row, choice: int, weight: float, now: float) -> Status:
    """Vote with staked tokens, once per poll; they stay staked until voting is over.

    Args:
        poll: row of `World.polls`; changed.
        ballot: row of `World.ballots` with this poll and the stake's owner set; changed.
        terms: row of `World.governance`.
        stake: row of `World.stakes`, in the pool that votes; its lock changed.
        choice: `Choice`.
        weight: staked tokens, > 0 and at most the bond.
        now: seconds since the start.

    Returns:
        OK, or WRONG_POLL_STATE, UNAUTHORIZED (another's ballot, or a stake that has no vote), ALREADY_VOTED, BAD_AMOUNT (weight or choice),
        INSUFFICIENT_STAKE with nothing changed.
    """
    if poll.state != PollState.IN_PROGRESS or now >= poll.ends_at:
        return Status.WRONG_POLL_STATE
    if ballot.poll != poll.row or ballot.voter != stake.owner or stake.pool != terms.stake_pool:
        return Status.UNAUTHORIZED
    if ballot.weight > 0.0:
        return Status.ALREADY_VOTED
    if not (is_positive_amount(weight) and 0 <= choice <= 2):
        return Status.BAD_AMOUNT
    if weight > stake.bond:
        return Status.INSUFFICIENT_STAKE
    if choice == Choice.YES:
        poll.yes += weight
    elif choice == Choice.NO:
        poll.no += weight
    else:
        poll.abstain += weight
    ballot.choice, ballot.weight = choice, weight
    still_locked = stake.locked if now < stake.locked_until else 0.0
    stake.locked, stake.locked_until = max(still_locked, weight), max(stake.locked_until, poll.ends_at)
    return Status.OK


@rule
def has_quorum(poll: Row, terms: Row, staked: float) -> bool:
    """Tell whether enough of what is staked has voted; exactly the quorum is enough."""
    return staked > 0.0 and (poll.yes + poll.no + poll.abstain) / staked >= terms.quorum


@rule
def has_majority(poll: Row, terms: Row) -> bool:
    """Tell whether yes is strictly more than the threshold's part of yes + no."""
    decided = poll.yes + poll.no
    return decided > 0.0 and poll.yes / decided > terms.threshold


@rule
def end_poll(poll: Row, terms: Row, stake_pool: Row, wallets: Floats, now: float) -> Status:
    """Count the votes of a poll whose voting is over: it is passed or rejected.

    The deposit goes back to the proposer if the quorum was reached, whatever the result; otherwise it is lost, to the stakers of
    tEXO (assumption: MECHANICS.md says only that it is lost).

    Args:
        poll: row of `World.polls`; changed.
        terms: row of `World.governance`.
        stake_pool: row of `World.stake_pools`: the one that votes; changed where a deposit is lost.
        wallets: `[accounts, tokens]`; changed through the ledger.
        now: seconds since the start.

    Returns:
        OK (also for a poll that is rejected), or WRONG_POLL_STATE, TOO_EARLY with nothing changed.
    """
    if poll.state != PollState.IN_PROGRESS:
        return Status.WRONG_POLL_STATE
    if now < poll.ends_at:
        return Status.TOO_EARLY
    poll.staked = stake_pool.total_bond
    is_quorate = has_quorum(poll, terms, poll.staked)
    if is_quorate:
        ledger.transfer(wallets, terms.token, GOVERNANCE_ACCOUNT, poll.proposer, poll.deposit)
    else:
        ledger.transfer(wallets, terms.token, GOVERNANCE_ACCOUNT, stake_pool.account, poll.deposit)
        staking.take_in(stake_pool, poll.deposit)
    poll.deposit = 0.0
    is_passed = is_quorate and has_majority(poll, terms)
    poll.state = PollState.PASSED.value if is_passed else PollState.REJECTED.value
    return Status.OK
