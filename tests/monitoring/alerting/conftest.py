"""A workspace whose ledger follows a clock that tests turn, and looks at a model as monitoring would give them."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.clock import Hand

from modelyard.core import Actor, Finding, Severity
from modelyard.core.actor import ActorSource
from modelyard.governance import Alert, AlertDesk
from modelyard.monitoring.alerting import Seen, conditions_of, raise_alerts
from modelyard.problem import Problem
from modelyard.store import Ledger, Workspace

EVERYTHING = frozenset({"drift", "quality", "performance", "labels", "latency", "errors", "other", "no_data"})


def problem_with(**alerts: Any) -> Problem:
    """A binary problem with an owner and this section ``alerts``; the log is no sink of it."""
    return Problem.model_validate(
        {
            "name": "churn",
            "task": "binary",
            "owner": "keller",
            "contact": "keller@example.org",
            "data": {"source": "x.csv", "target": "Churn", "positive": "Yes"},
            "alerts": {"sinks": {"file": {"kind": "file", "path": "told.jsonl"}}, **alerts},
        }
    )


def fault(name: str, subject: str, severity: Severity = Severity.ERROR) -> Finding:
    """A finding of monitoring."""
    return Finding(name, severity, subject, f"`{subject}` is broken.", "It matters.", "Ask the owner of the source.")


@dataclasses.dataclass
class Watchtower:
    """One model whose looks a test makes up."""

    workspace: Workspace
    clock: Hand
    actor: Actor
    problem: Problem

    @property
    def desk(self) -> AlertDesk:
        """What people do."""
        return AlertDesk(self.workspace.ledger, "churn", self.actor, clock=self.clock)

    def look(
        self, findings: Sequence[Finding], *, window: str | None = None, judged: frozenset[str] = EVERYTHING
    ) -> tuple[Alert, ...]:
        """Judge findings as a look at this hour would, columns being all subjects."""
        columns = frozenset(finding.subject for finding in findings) - {"score", "roc_auc"}
        conditions = conditions_of(findings, self.problem, columns=columns)
        name = window or f"{self.clock.now:%Y-%m-%d %H:00}"
        seen = Seen("churn", ("1",), name, conditions, judged)
        return raise_alerts(self.workspace.ledger, self.problem, seen, self.actor, clock=self.clock)

    def told(self) -> list[str]:
        """What lies in the outbox or was sent: the news of every message, oldest first."""
        return [message.body["news"] for message, _ in self.desk.deliveries()]


@pytest.fixture
def actor() -> Actor:
    """Who may do everything."""
    return Actor("ada", ActorSource.OS_USER, ("admin",))


@pytest.fixture
def make_tower(actor: Actor) -> Callable[[Path], Watchtower]:
    """Makes a model with the default rules in a folder."""

    def make(folder: Path) -> Watchtower:
        clock, workspace = Hand(), Workspace(folder)
        workspace.__dict__["ledger"] = Ledger.open(workspace.state / "ledger.db", clock=clock)
        return Watchtower(workspace, clock, actor, problem_with())

    return make


@pytest.fixture
def tower(tmp_path: Path, make_tower: Callable[[Path], Watchtower]) -> Watchtower:
    """A model with the default rules."""
    return make_tower(tmp_path)


@pytest.fixture
def make_problem() -> Callable[..., Problem]:
    """See :func:`problem_with`."""
    return problem_with


@pytest.fixture
def make_fault() -> Callable[..., Finding]:
    """See :func:`fault`."""
    return fault
