"""The command ``replay``: policies of retraining, tried on the past."""

from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def replay(
    session: Session,
    data: Annotated[Path, typer.Option("--data", help="Table of the past: times, features and outcomes.")],
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            help="never, weekly, monthly, drift, performance, default, or a YAML file (repeatable); all but weekly if none is named.",
        ),
    ] = None,
    start: Annotated[
        str, typer.Option("--start", help="Share of the rows that the first model has, or a day: 2026-03-01.")
    ] = "0.25",
    every: Annotated[str, typer.Option("--every", help="Length of a period: 7d, 12h.")] = "7d",
    label_delay: Annotated[str, typer.Option("--label-delay", help="How long labels take to come: 30d.")] = "",
) -> Answer:
    """Try policies of retraining on the past. What each would have earned, and which pays; nothing of the project is changed."""
    from modelyard.cli.show.watching import show_replay

    replays = session.project.replays
    found, page = replays.run(data, tuple(policy or ()), start=start, every=every, label_delay=label_delay)
    return Answer({**found.to_dict(), "page": str(page)}, show_replay(found, page))


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "replay")(replay)
