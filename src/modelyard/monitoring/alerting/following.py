"""What follows a monitoring report: alerts move, and people are told."""

import dataclasses
from pathlib import Path

from modelyard.core import Actor, Clock, Record, system_clock, write_atomic
from modelyard.governance.alert_log import Alert
from modelyard.monitoring.alerting.conditions import report_conditions
from modelyard.monitoring.alerting.delivery import Delivery, deliver_waiting
from modelyard.monitoring.alerting.raising import raise_alerts
from modelyard.monitoring.records import MonitorReport
from modelyard.packaging import Package
from modelyard.packaging.runbooks import runbook_name, runbook_text
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["AlertRun", "Runbooks", "follow_up"]


@dataclasses.dataclass(frozen=True)
class AlertRun(Record):
    """What became of a look at a model.

    Parameters
    ----------
    alerts
        Those that are not over, and those that ended now.
    delivery
        What became of the messages.
    """

    alerts: tuple[Alert, ...]
    delivery: Delivery


def follow_up(
    workspace: Workspace,
    problem: Problem,
    report: MonitorReport,
    package: Package | None,
    actor: Actor,
    *,
    clock: Clock = system_clock,
) -> AlertRun:
    """Raise the alerts that a report asks for, and empty the outbox.

    A sink that fails does not fail the monitor: its messages wait, and the delivery says so.

    Parameters
    ----------
    workspace, problem
        Of the project.
    report
        Of the model in production.
    package
        Whose runbooks are pointed to; without one, or in one without runbooks, the built-in pages are.
    actor
        In whose name monitoring runs.
    """
    seen = report_conditions(report, problem)
    pages = Runbooks(workspace, problem, package)
    alerts = raise_alerts(workspace.ledger, problem, seen, actor, runbook=pages.place, clock=clock)
    return AlertRun(alerts, deliver_waiting(workspace, problem, actor, clock=clock))


class Runbooks:
    """Where the page of each kind of alert is: in the package, or written from the built-in text."""

    def __init__(self, workspace: Workspace, problem: Problem, package: Package | None) -> None:
        self._workspace = workspace
        self._problem = problem
        self._package = package

    def place(self, kind: str) -> str:
        """An address if ``alerts.runbooks`` has one; else a path relative to the project, with a word if it is built-in."""
        name = runbook_name(kind)
        base = self._problem.alerts.runbooks
        if base is not None:
            return f"{base.rstrip('/')}/{name}"
        if self._package is not None and name in self._package.manifest.files:
            return self._relative(self._package.folder / name)
        path = self._workspace.folder("monitoring", "runbooks") / Path(name).name
        text = runbook_text(kind, self._problem)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_atomic(path, text)
        return f"{self._relative(path)} (built-in: the package was made without runbooks)"

    def _relative(self, path: Path) -> str:
        root = self._workspace.root.resolve()
        full = path.resolve()
        if not full.is_relative_to(root):
            return str(full)
        return str(full.relative_to(root))
