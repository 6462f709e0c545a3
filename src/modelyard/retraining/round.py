"""One round of monitoring the version in production: the log tidied and judged, the report kept, alerts and challengers looked after."""

from pathlib import Path

from modelyard.core import Actor, Clock, new_id, system_clock
from modelyard.governance import ModelVersion, Registry
from modelyard.monitoring.alerting.following import follow_up
from modelyard.monitoring.records import MonitorReport
from modelyard.monitoring.watch import keep_report, watch
from modelyard.problem import Problem
from modelyard.retraining.telling import look_again
from modelyard.serving import tidy_log
from modelyard.store import Workspace

__all__ = ["monitor_version"]


def monitor_version(
    workspace: Workspace,
    problem: Problem,
    version: ModelVersion,
    actor: Actor,
    *,
    data: Path | str | None = None,
    labels: Path | str | None = None,
    alerts: bool = True,
    clock: Clock = system_clock,
) -> MonitorReport:
    """Judge what a version has answered, or a table that it scores now, and keep the report.

    Parameters
    ----------
    data, labels
        As :func:`modelyard.monitoring.watch.watch` takes them.
    alerts
        Whether alerts open, end and are told of, those of challengers that waited included.

    Raises
    ------
    DataError
        If a table cannot be read or lacks columns.
    """
    if data is None:
        tidy_log(problem, workspace, actor)
    folder = workspace.folder("monitoring", new_id())
    package = Registry(workspace).package(version)
    report = watch(workspace, package, problem, data=data, labels=labels, folder=folder, clock=clock)
    keep_report(report, folder, problem, workspace, actor, version.subject)
    if alerts:
        follow_up(workspace, problem, report, package, actor, clock=clock)
        look_again(workspace, problem, actor, clock=clock)
    return report
