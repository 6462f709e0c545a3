"""The command ``mirror``: the registry in MLflow."""

from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def mirror(
    session: Session,
    check: Annotated[
        bool, typer.Option("--check", help="Look only: exit code 3 if somebody changed the mirror by hand.")
    ] = False,
) -> Answer:
    """Show versions in MLflow's registry. Packages, stages, approvals and aliases, as the ledger has them; what was changed there is said and mended."""
    from modelyard.adapters.mlflow_registry import catalogue_of
    from modelyard.cli.show.oversight.mirror import show_mirrored

    project = session.project
    found = project.oversight.mirror(catalogue_of(project), check=check)
    code = ExitCode.REFUSED if check and found.drift else ExitCode.DONE
    return Answer(found.to_dict(), show_mirrored(found), code)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "mirror")(mirror)
