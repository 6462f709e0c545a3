"""The command ``event``: note what happened, or list what did."""

from typing import Annotated

import typer

from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def event(
    session: Session,
    title: Annotated[
        str | None, typer.Argument(help="What happened, in a few words; without it, events are listed.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="When: 2026-03-01 or 2026-03-01T09:30, UTC; now.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="When it ended, if it lasted.")] = None,
    kind: Annotated[str, typer.Option("--kind", help="A word: campaign, outage, price.")] = "event",
) -> Answer:
    """Note an event, or list them. They stand on the time axes of the monitoring page and in reviews; deployments come by themselves."""
    from modelyard.cli.show.blocks import headline, plain_table
    from modelyard.core import system_clock
    from modelyard.monitoring.events import note_event, parse_moment, read_events

    project = session.project
    name = project.problem.name
    if title is None:
        found = read_events(project.workspace.ledger, name)
        rows = (
            (
                f"{one.at:%Y-%m-%d %H:%M}",
                f"{one.until:%Y-%m-%d %H:%M}" if one.until else "",
                one.kind,
                one.title,
                one.actor,
            )
            for one in found
        )
        table = plain_table(("at", "until", "kind", "what", "who"), rows)
        return Answer([one.to_dict() for one in found], table if found else headline("No event is known."))
    noted = note_event(
        project.workspace.ledger,
        name,
        project.actor,
        title,
        at=system_clock() if at is None else parse_moment(at, "--at"),
        until=None if until is None else parse_moment(until, "--until"),
        kind=kind,
    )
    return Answer(noted.to_dict(), headline(f"Noted: {noted.title}", f"{noted.kind}, {noted.at:%Y-%m-%d %H:%M} UTC"))


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "event")(event)
