"""Commands about the rows: contract."""

from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.verb import Answer, Session, verb

__all__ = ["add_to"]


def contract(
    session: Session,
    table: Annotated[
        str | None, typer.Argument(help="A table (file or address) to hold against it; without one it is shown.")
    ] = None,
    query: Annotated[str | None, typer.Option("--query", help="What is asked of a database: one SELECT.")] = None,
    version: Annotated[
        int | None,
        typer.Option("--version", help="A version's contract; by default the one of the next package.", min=1),
    ] = None,
) -> Answer:
    """Show what is expected of each column, or hold a table against it. Learnt from training rows, or declared in the project file; nothing is scored."""
    from modelyard.cli.show.curation import show_contract, show_contract_check

    curation = session.project.curation
    if table is None:
        found = curation.contract(version)
        return Answer(found.to_dict(), show_contract(found))
    report = curation.check_table(table, query=query, version=version)
    code = ExitCode.DONE if report.holds else ExitCode.REFUSED
    return Answer(report.to_dict(), show_contract_check(report), code)


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    verb(app, "contract")(contract)
