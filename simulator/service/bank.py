"""The mock bank: what it does with a payment that its customer brings."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulator.domain.errors import IllegalAction, NothingToDo, Refusal
from simulator.domain.events import Kind
from simulator.domain.ports import PaymentQuery
from simulator.domain.scenarios import PLAYED_IN, Door, Play, Progression, Scenario
from simulator.domain.states import PaymentAction
from simulator.domain.timers import TimerKind
from simulator.service import customers
from simulator.service.changes import change_payment, let_expire, touch_payout

if TYPE_CHECKING:
    from simulator.domain.accounts import Account
    from simulator.domain.events import Cause
    from simulator.domain.payments import Payment
    from simulator.domain.scenarios import Step
    from simulator.service.customers import CustomerAccount
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work

_DECLINED = "reject"
"""The scenario of a payer who declines."""

_CONSENTED = frozenset({PaymentAction.INITIATE, PaymentAction.ACCEPT, PaymentAction.SETTLE})
"""What a bank does only after its customer authorised the payment, and so chose an account."""


class BankService:
    """What the banks do with the payments of one merchant."""

    def __init__(self, simulation: Simulation, merchant_key: str, cause: Cause | None = None) -> None:
        self._simulation = simulation
        self._key = merchant_key
        self._cause = cause

    def authorise(self, payment_id: str, scenario: str | None = None, account: Account | None = None) -> Payment:
        """Let the payer authorise a payment, from `account`, and play the scenario that follows.

        `scenario` is the button pressed on the bank's page. InvalidScenario when there is none of that name;
        IllegalAction when the payer is not at the bank, or has authorised already.
        """
        with self._simulation.work(self._key, self._cause) as work:
            return authorise(work, payment_id, scenario, account)

    def decline(self, payment_id: str) -> Payment:
        """Let the payer decline a payment; IllegalAction as in `authorise`."""
        with self._simulation.work(self._key, self._cause) as work:
            return decline(work, payment_id)

    def accounts(self, payment_id: str) -> tuple[CustomerAccount, ...]:
        """Return the payer's accounts at the bank that was picked, the one it would share first.

        IllegalAction when no bank was picked.
        """
        with self._simulation.store.transaction(self._key) as world:
            payment, merchant = world.payment(payment_id), world.merchant()
        if payment.provider is None:
            raise IllegalAction("payment session", payment.state, "be paid from an account", payment.actions)
        return customers.accounts_of_payer(self._simulation.people, merchant, payment, payment.provider)


def authorise(work: Work, payment_id: str, button: str | None = None, account: Account | None = None) -> Payment:
    """Do what `BankService.authorise` does, as part of `work`."""
    scenarios = work.simulation.scenarios
    payment = work.world.payment(payment_id)
    payment.check_authorisable()
    asked = payment.ask_for(scenarios.find(button).name, Door.BUTTON) if button is not None else payment
    recurring = payment.request.frequency is not None
    magic = scenarios.of_account(account, recurring=recurring) if account else None
    if magic is not None:
        play = Play(magic, Door.MAGIC_ACCOUNT)
    else:
        name, door = asked.chosen_scenario(work.merchant.scenario)
        play = Play(scenarios.find(name), door)
    return _begin(work, payment, play, account)


def decline(work: Work, payment_id: str) -> Payment:
    """Do what `BankService.decline` does, as part of `work`; who declines pays nothing, whatever was to be played."""
    payment = work.world.payment(payment_id)
    payment.check_authorisable()
    play = Play(work.simulation.scenarios.find(_DECLINED), Door.BUTTON)
    return _begin(work, payment, play, declined=True)


def _begin(work: Work, payment: Payment, play: Play, account: Account | None = None, **decision: bool) -> Payment:
    """Play what follows from the payer's decision."""
    if account is not None and payment.provider is not None and payment.provider.shares_account:
        payment = payment.paid_from(account)
    payment = replace(payment, play=play, cancelled=False, returns=play.scenario.returns)
    work.world.save(payment)
    work.tell(
        Kind.SCENARIO_STARTED, payment.id, because=None, scenario=play.scenario.name, door=play.door.value, **decision
    )
    return _go_on(work, payment)


def next_step(work: Work, payment_id: str) -> Payment:
    """Take the next step of the scenario being played, however long it should have taken; NothingToDo without one."""
    payment = work.world.payment(payment_id)
    if payment.play is None or payment.play.next_step is None:
        raise NothingToDo("No scenario is being played: the payer authorises the payment first, by POST …/pay.")
    work.cancel(payment_id, TimerKind.SCENARIO_STEP)
    stepped = _take_step(work, payment, payment.play, payment.play.next_step)
    return _go_on(work, stepped)


def timely_step(work: Work, payment_id: str) -> None:
    """Take the step of a scenario that is due now."""
    payment = work.world.payment(payment_id)
    if payment.play is not None and payment.play.next_step is not None:
        _go_on(work, _take_step(work, payment, payment.play, payment.play.next_step))


def keep_pace(work: Work) -> None:
    """Let every scenario that is being played go on as the merchant's progression, which has changed, wants it."""
    for state in PLAYED_IN:
        for payment in work.world.payments(PaymentQuery(limit=sys.maxsize, state=state)):
            if payment.play is not None:
                work.cancel(payment.id, TimerKind.SCENARIO_STEP)
                _go_on(work, payment)


def act(work: Work, payment_id: str, action: PaymentAction, by: str, *, force: bool = False, **details: Any) -> Payment:
    """Initiate, accept, settle, reject, fail or expire a payment; `force` does it from any state.

    IllegalAction when its state does not allow it. A bank that shares accounts tells from which one the payment comes.
    """
    before = work.world.payment(payment_id)
    return _act(work, before, before, action, by, force=force, **details)


def _act(  # noqa: PLR0913  as above
    work: Work, before: Payment, payment: Payment, action: PaymentAction, by: str, *, force: bool, **details: Any
) -> Payment:
    if action is PaymentAction.CHOOSE_PROVIDER:
        raise ValueError("the payer chooses the provider, no bank does")
    forced = force and action not in payment.actions
    after = (payment.force if forced else payment.act)(action, work.at)
    bank = payment.provider
    if action in _CONSENTED and bank is not None and bank.shares_account and payment.payer_account is None:
        account = customers.account_of_payer(work.simulation.people, work.merchant, after, bank)
        after = after.paid_from(account)
    return change_payment(work, before, after, action, by, forced=forced, **details)


def _go_on(work: Work, payment: Payment) -> Payment:
    """Take the steps that wait for nothing, and set a timer for the first that waits."""
    while (play := payment.play) is not None:
        step = play.next_step
        if step is None:
            payment = replace(payment, play=None)
            work.world.save(payment)
            let_expire(work, payment)
            break
        if work.merchant.progression is Progression.MANUAL:
            break
        if step.after and work.merchant.progression is Progression.TIME:
            work.schedule(TimerKind.SCENARIO_STEP, payment.id, step.after)
            break
        payment = _take_step(work, payment, play, step)
    return payment


def _take_step(work: Work, payment: Payment, play: Play, step: Step) -> Payment:
    """Play one step; a step that is no longer allowed ends the play."""
    told: dict[str, Any] = {"scenario": play.scenario.name, "step": play.step + 1, "reason": step.reason}
    moved = replace(payment, play=replace(play, step=play.step + 1))
    if step.action is None:
        moved = replace(moved, cancelled=True)
        work.world.save(moved)
        work.tell(Kind.PAYMENT_CANCELLED, payment.id, by="payer", **told)
        return moved
    try:
        with work.savepoint():
            return _act(work, payment, moved, step.action, "bank", force=step.force, **told)
    except Refusal as late:
        stopped = replace(payment, play=None)
        work.world.save(stopped)
        work.tell(Kind.SCENARIO_STOPPED, payment.id, why=str(late), **told)
        touch_payout(work, payment)
        let_expire(work, stopped)
        return stopped


def describe(scenario: Scenario) -> str:
    """What a scenario does, step by step, in words."""
    steps = []
    for step in scenario.steps:
        what = step.action.value if step.action else "the payer turns away"
        code = f" ({step.reason})" if step.reason else ""
        steps.append(f"{step.after:g} s later {what}{code}" if step.after else f"{what}{code}")
    return ", then ".join(steps) or "nothing"
