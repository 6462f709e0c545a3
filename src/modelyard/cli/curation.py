"""Commands about the rows: contract, correct."""

from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

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


def correct(
    session: Session,
    sheet: Annotated[
        Path | None,
        typer.Argument(help="Reviewed label_suspects.csv or outliers.csv; without it, corrections are listed."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; goes to the ledger and the model card.")] = "",
    undo: Annotated[str | None, typer.Option("--undo", help="Id of a correction to take back.")] = None,
) -> Answer:
    """Read back what people decided about single rows. Labels, errors and legitimate values; recorded, applied after the split, and undone if wanted."""
    from modelyard.cli.show.curation import show_correction, show_corrections
    from modelyard.core import ConfigError

    curation = session.project.curation
    if sheet is not None and undo is not None:
        cure = "Run the command twice"
        raise ConfigError("a sheet is read back, or a correction is undone", where="correct", got="both", cure=cure)
    if sheet is None and undo is None:
        found = curation.corrections()
        return Answer([item.to_dict() for item in found], show_corrections(found))
    record = curation.undo(undo, reason) if undo is not None else curation.correct(Path(str(sheet)), reason)
    return Answer(record.to_dict(), show_correction(record, undone=undo is not None))


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    verb(app, "contract")(contract)
    verb(app, "correct")(correct)
