"""Who is told of a retraining: an alert while the data stopped the last one, a note while a challenger waits."""

from modelyard.core import Actor, Clock, Finding, Severity, StateError, system_clock
from modelyard.governance import Registry, Stage
from modelyard.monitoring.alerting import Seen, conditions_of, deliver_waiting, raise_alerts
from modelyard.monitoring.alerting.following import Runbooks
from modelyard.problem import Problem
from modelyard.retraining.cases.standing import DECIDED
from modelyard.retraining.records import Decision, Outcome
from modelyard.store import Workspace, load_record

__all__ = ["look_again", "tell"]

_KIND = "retraining"
_DATA_GATES = frozenset({"cause", "contamination", "contract", "audit"})
"""Gates whose no says that data are not fit to learn from; the others say that there is nothing to gain, or not enough."""


def tell(
    workspace: Workspace, problem: Problem, decision: Decision, actor: Actor, *, clock: Clock = system_clock
) -> None:
    """Open, change or end what a decision asks for, and put the messages into the outbox; twice is once.

    Raises
    ------
    IntegrityError
        If the package in production is not what was registered.
    """
    registry = Registry(workspace)
    champion = registry.production(problem.name)
    pages = Runbooks(workspace, problem, registry.package(champion) if champion else None)
    seen = Seen(
        model=problem.name,
        versions=tuple(str(item) for item in (decision.champion_version, decision.challenger_version) if item),
        window=decision.id,
        conditions=conditions_of(_findings(decision, workspace, problem.name), problem),
        judged=frozenset({_KIND}),
    )
    raise_alerts(workspace.ledger, problem, seen, actor, runbook=pages.place, clock=clock)


def look_again(workspace: Workspace, problem: Problem, actor: Actor, *, clock: Clock = system_clock) -> None:
    """After the last decision somebody may have decided on the challenger: its note ends then."""
    rows = workspace.ledger.rows(action=DECIDED)
    if not rows:
        return
    try:
        folder = workspace.folder("retraining", rows[-1].subject)
        decision = load_record(Decision, folder, "decision", cure="")
    except StateError:  # decided on another machine
        return
    tell(workspace, problem, decision, actor, clock=clock)
    deliver_waiting(workspace, problem, actor, clock=clock)


def _findings(decision: Decision, workspace: Workspace, name: str) -> list[Finding]:
    """What is to be told now."""
    waiting = _waiting(decision, workspace, name)
    last = decision.gates[-1]
    if decision.outcome is not Outcome.STOPPED or last.gate not in _DATA_GATES:
        return waiting
    stopped = Finding(
        "retraining-stopped",
        Severity.ERROR,
        last.gate,
        f"A retraining was stopped by the {last.gate} gate. {last.detail}",
        "A model that learns from such rows makes their fault its own; until it is mended the champion grows old.",
        "Mend the data at their source, then run: modelyard retrain",
        {"retraining": decision.id, "gate": last.gate},
        "R2",
    )
    return [stopped, *waiting]


def _waiting(decision: Decision, workspace: Workspace, name: str) -> list[Finding]:
    """One for each version that a retraining, this one or an earlier, has registered and nobody has decided on."""
    decided = workspace.ledger.rows(action=DECIDED)
    reasons = {row.details.get("challenger"): str(row.details.get("reason", "")) for row in decided}
    reasons[decision.challenger_version] = decision.reason
    versions = Registry(workspace).versions(name)
    candidates = [version.version for version in versions if version.stage is Stage.CANDIDATE]
    return [
        Finding(
            "retraining-challenger",
            Severity.INFO,
            f"version {number}",
            reasons[number],
            "Whoever approves it looks at its card; until then the champion serves.",
            f'modelyard approve {number} --reason "..."',
            {"version": number},
            "R4",
        )
        for number in candidates
        if number in reasons
    ]
