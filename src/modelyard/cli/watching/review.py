"""The command ``review``: a week or a month of a model on one page."""

from typing import Annotated, Literal

import typer

from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def review(
    session: Session,
    monthly: Annotated[bool, typer.Option("--monthly/--weekly", help="Thirty days, or seven.")] = False,
    until: Annotated[
        str | None, typer.Option("--until", help="The end of the time: 2026-03-01; now by default.")
    ] = None,
) -> Answer:
    """Look back over a week or a month. Traffic, versions, performance, drift, quality, alerts and their use, incidents, events, next steps."""
    from modelyard.cli.show.watching import show_review
    from modelyard.monitoring.events import parse_moment
    from modelyard.monitoring.reviews import make_review

    project = session.project
    end = None if until is None else parse_moment(until, "--until")
    length: Literal["monthly", "weekly"] = "monthly" if monthly else "weekly"
    made, page = make_review(project.workspace, project.problem, project.actor, length, until=end)
    return Answer({**made.to_dict(), "page": str(page)}, show_review(made, page))


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "review")(review)
