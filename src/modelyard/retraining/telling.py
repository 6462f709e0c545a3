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
        conditions=conditions_of(_findings(decision, registry, problem.name), problem),
        judged=frozenset({_KIND}),
    )
    raise_alerts(workspace.ledger, problem, seen, actor, runbook=pages.place, clock=clock)


def look_again(workspace: Workspace, problem: Problem, actor: Actor) -> None:
    """After the last decision somebody may have decided on the challenger: its note ends then."""
    rows = workspace.ledger.rows(action=DECIDED)
    if not rows:
        return
    try:
        folder = workspace.folder("retraining", rows[-1].subject)
        decision = load_record(Decision, folder, "decision", cure="")
    except StateError:  # decided on another machine
        return
    tell(workspace, problem, decision, actor)
    deliver_waiting(workspace, problem, actor)


def _findings(decision: Decision, registry: Registry, name: str) -> list[Finding]:
    """What is to be told now."""
    last = decision.gates[-1]
    if decision.outcome is Outcome.STOPPED and last.gate in _DATA_GATES:
        return [
            Finding(
                "retraining-stopped",
                Severity.ERROR,
                last.gate,
                f"A retraining was stopped by the {last.gate} gate. {last.detail}",
                "A model that learns from such rows makes their fault its own; until it is mended the champion grows old.",
                "Mend the data at their source, then run: modelyard retrain",
                {"retraining": decision.id, "gate": last.gate},
                "R2",
            )
        ]
    number = decision.challenger_version
    if number is None or registry.version(name, number).stage is not Stage.CANDIDATE:
        return []
    return [
        Finding(
            "retraining-challenger",
            Severity.INFO,
            f"version {number}",
            decision.reason,
            "Whoever approves it looks at its card; until then the champion serves.",
            f'modelyard approve {number} --reason "..."',
            {"retraining": decision.id, "version": number},
            "R4",
        )
    ]
