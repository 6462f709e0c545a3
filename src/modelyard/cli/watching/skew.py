"""The command ``skew``: whether requests carry what training would have had."""

from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def skew(
    session: Session,
    data: Annotated[
        str | None,
        typer.Option(
            "--data", help="Table with the same entities: a path or an address; the project's source by default."
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key", help="Column that names an entity in log and table; data.id, else id for the ids of answers."
        ),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="Version whose answers are checked; production by default.", min=1)
    ] = None,
    sample: Annotated[int, typer.Option("--sample", help="Logged answers that are drawn.", min=1)] = 1000,
    days: Annotated[int | None, typer.Option("--days", help="Only answers of so many days.", min=1)] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the draw.", min=0)] = 0,
) -> Answer:
    """Look for training-serving skew. Logged requests are scored again, and held against the table that training would read."""
    from modelyard.cli.show.skew import show_skew
    from modelyard.monitoring.skew import SkewRequest, check_skew

    project = session.project
    request = SkewRequest(version, data, key, sample, days, seed)
    report = check_skew(project.workspace, project.problem, project.actor, request)
    return Answer(report.to_dict(), show_skew(report), ExitCode.REFUSED if report.has_alarms else ExitCode.DONE)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "skew")(skew)
