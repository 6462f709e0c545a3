"""Commands about models and what hangs on them: inventory, impact."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]

PathsArgument = Annotated[
    list[Path] | None,
    typer.Argument(help="Projects, or folders that hold some up to three folders below; this project by default."),
]


def inventory(
    session: Session,
    paths: PathsArgument = None,
    left: Annotated[
        list[str] | None, typer.Option("--left", help="Somebody who is not there any more (repeatable).")
    ] = None,
) -> Answer:
    """List models with owner, tier, stage and reviews. One line each, and why nobody seems to look after a model."""
    from modelyard.cli.show.oversight.models import show_inventory
    from modelyard.oversight.inventory import take_inventory

    entries = take_inventory(paths or [session.folder], dt.datetime.now(dt.UTC), left=left or [], env=session.env)
    return Answer([entry.to_dict() for entry in entries], show_inventory(entries))


def impact(
    session: Session,
    paths: PathsArgument = None,
    column: Annotated[
        str | None, typer.Option("--column", help="A column: tenure, or churn.tenure of one model.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="A model that changes or goes away.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="A source: a system, a table.")] = None,
) -> Answer:
    """Tell what breaks if something changes. Through columns, features, models and their consumers, and who is to be told."""
    from modelyard.cli.show.oversight.models import show_impact
    from modelyard.core import ConfigError
    from modelyard.oversight.impact import impact_of
    from modelyard.oversight.sites import find_projects, open_site

    asked = {"column": column, "model": model, "source": source}
    given = [(kind, name) for kind, name in asked.items() if name is not None]
    if len(given) != 1:
        raise ConfigError(
            "one thing changes", where="impact", got=str(len(given)), cure="Give one of --column, --model and --source"
        )
    sites = [open_site(root, session.env) for root in find_projects(paths or [session.folder])]
    found = impact_of(sites, *given[0])
    return Answer(found.to_dict(), show_impact(found))


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for name, function in (("inventory", inventory), ("impact", impact)):
        verb(app, name)(function)
