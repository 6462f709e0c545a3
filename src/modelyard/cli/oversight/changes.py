"""The command ``changes``: what differs between two versions."""

from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def changes(
    session: Session,
    before: Annotated[int | None, typer.Argument(help="A version; by default the one in production.", min=1)] = None,
    after: Annotated[int | None, typer.Argument(help="A later one; the newest by default.", min=1)] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File for the whole as Markdown.")] = None,
) -> Answer:
    """Tell what differs between two versions. Data, features, method, figures with intervals, threshold, groups, code, approvals."""
    from modelyard.cli.show.oversight.changes import show_changes
    from modelyard.core import write_atomic
    from modelyard.oversight.change_page import markdown

    found = session.project.oversight.changes(before, after)
    if out is not None:
        write_atomic(out, markdown(found))
    return Answer(found.to_dict(), show_changes(found, out))


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "changes")(changes)
