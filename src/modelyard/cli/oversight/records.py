"""Commands about what is kept: records, erase."""

from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def records(
    session: Session,
    action: Annotated[str, typer.Argument(help="export.")],
    folder: Annotated[Path, typer.Argument(help="A new folder for everything that is recorded about the model.")],
) -> Answer:
    """Write the records of a model for auditors. Cards, decisions, deployments, ledger, the log by reference, and which clauses they support."""
    from modelyard.cli.show.oversight.records import show_records
    from modelyard.core import ConfigError
    from modelyard.problem import did_you_mean

    if action != "export":
        raise ConfigError(
            "records cannot do that", where="records", got=repr(action), cure=did_you_mean(action, ["export"])
        )
    found = session.project.oversight.export_records(folder)
    return Answer(found.to_dict(), show_records(found))


def erase(
    session: Session,
    subject: Annotated[
        str, typer.Option("--subject", help="KEY=VALUE: a column and its value; or id= and a prediction's id.")
    ],
    reason: Annotated[
        str, typer.Option("--reason", help="The request's number; goes to the ledger, so it names nobody.")
    ],
) -> Answer:
    """Erase what is recorded about one person. From the prediction log, labels and the log's copy; says where else rows are left."""
    from modelyard.cli.show.oversight.records import show_erasure

    key, _, value = subject.partition("=")
    found = session.project.oversight.erase(key, value, reason)
    return Answer(found.to_dict(), show_erasure(found), ExitCode.DONE)


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for name, function in (("records", records), ("erase", erase)):
        verb(app, name)(function)
