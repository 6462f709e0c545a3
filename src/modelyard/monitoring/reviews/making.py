"""A review of the version in production, made and stored."""

import datetime as dt
from pathlib import Path
from typing import Literal

from modelyard.core import Actor, Clock, StateError, new_id, system_clock
from modelyard.governance import AlertDesk, Registry
from modelyard.monitoring.events import read_events
from modelyard.monitoring.reviews.gathering import Handled, gather_review
from modelyard.monitoring.reviews.page import review_page
from modelyard.monitoring.reviews.records import Review
from modelyard.monitoring.watch import watch
from modelyard.problem import Problem
from modelyard.report import render_html
from modelyard.serving import read_predictions
from modelyard.store import Workspace, save_record

__all__ = ["LENGTHS", "make_review"]

LENGTHS = {"weekly": dt.timedelta(days=7), "monthly": dt.timedelta(days=30)}
"""How long the time of a review is."""


def make_review(
    workspace: Workspace,
    problem: Problem,
    actor: Actor,
    length: Literal["weekly", "monthly"],
    *,
    until: dt.datetime | None = None,
    clock: Clock = system_clock,
) -> tuple[Review, Path]:
    """Look back over a week or thirty days; returns the record and its page.

    No alert opens or ends, and nobody is told of anything. The ledger notes that the review was made.

    Parameters
    ----------
    workspace, problem
        Of the project.
    actor
        Who looks back.
    length
        ``weekly`` or ``monthly``.
    until
        The end of the time; now by default.

    Raises
    ------
    StateError
        If nothing is in production.
    """
    registry = Registry(workspace)
    version = registry.production(problem.name)
    if version is None:
        raise StateError("no version is in production", where=problem.name, cure="Run: modelyard promote VERSION")
    end = until or clock()
    since = end - LENGTHS[length]
    report = watch(workspace, registry.package(version), problem, clock=clock)
    desk = AlertDesk(workspace.ledger, problem.name, actor, clock=clock)
    review = gather_review(
        report,
        read_predictions(workspace.folder("predictions")),
        Handled(desk.history(), desk.silences(), len(desk.waiting())),
        read_events(workspace.ledger, problem.name, since=since, until=end),
        version=str(version.version),
        since=since,
        until=end,
    )
    folder = workspace.folder("monitoring", f"review-{new_id()}")
    page = save_record(folder, "review", review, render_html(review_page(review, problem)))
    details = {"review": folder.name, "since": since.isoformat(), "until": end.isoformat()}
    workspace.ledger.append(actor, "model.reviewed", version.subject, details)
    return review, page
