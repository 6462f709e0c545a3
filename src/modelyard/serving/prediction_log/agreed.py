"""What a project file says of its prediction log: the policy, and what is removed when."""

import contextlib
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.core import Actor, LockedError
from modelyard.serving.prediction_log.policy import LogPolicy
from modelyard.serving.prediction_log.retention import remove_old
from modelyard.serving.prediction_log.tables import compact

if TYPE_CHECKING:
    from modelyard.problem import Problem
    from modelyard.store import Workspace

__all__ = ["agreed_policy", "log_key", "tidy_log"]


def log_key(workspace: "Workspace") -> Path:
    """The file of the key for hashes, beside the log."""
    return workspace.state / "log.key"


def agreed_policy(problem: "Problem", workspace: "Workspace") -> LogPolicy:
    """The policy; the address of the copy is relative to the project.

    Raises
    ------
    ConfigError
        If an environment variable of the address is not set.
    """
    from modelyard.data import located  # brings all readers of sources along

    plan = problem.log
    return LogPolicy(
        on_full=plan.on_full,
        sink=None if plan.sink is None else located(plan.sink, workspace.root),
        max_backlog_bytes=plan.backlog_mb << 20,
        personal=plan.personal,
        key=log_key(workspace),
        also=plan.also,
    )


def tidy_log(problem: "Problem", workspace: "Workspace", actor: Actor) -> None:
    """Compact the log, and remove what is older than it is kept, which the ledger is told."""
    folder, days = workspace.folder("predictions"), problem.log.keep_days
    with contextlib.suppress(LockedError):  # somebody else tidies the log at this moment
        compact(folder)
    if days is None:
        return
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    report = remove_old(folder, before, sink=agreed_policy(problem, workspace).sink)
    if report.rows or report.database_rows or report.refused:
        workspace.ledger.append(actor, "log.retired", problem.name, {**report.to_dict(), "keep_days": days})
