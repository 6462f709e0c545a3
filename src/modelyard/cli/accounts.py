"""Commands that give account: ledger, status, demo."""

from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.verb import Answer, Session, print_answer, verb

__all__ = ["add_to"]


def ledger(
    session: Session,
    action: Annotated[str, typer.Argument(help="show, verify or export.")] = "show",
    out: Annotated[Path | None, typer.Option("--out", help="File for export (JSON lines).")] = None,
) -> Answer:
    """Show, verify or export the ledger. Verification recomputes the whole hash chain."""
    from modelyard.cli.show.accounts import show_export, show_rows, show_verification
    from modelyard.core import ConfigError
    from modelyard.problem import did_you_mean

    book = session.project.ledger()
    if action == "show":
        rows = book.rows()
        return Answer([row.to_dict() for row in rows], show_rows(rows))
    if action == "verify":
        result = book.verify()
        return Answer(result.to_dict(), show_verification(result), ExitCode.DONE if result.ok else ExitCode.REFUSED)
    if action == "export":
        path = out or session.folder / "ledger.jsonl"
        count = book.export(path)
        return Answer({"path": str(path), "rows": count}, show_export(path, count))
    cure = did_you_mean(action, ["show", "verify", "export"])
    raise ConfigError("the ledger cannot do that", where="ledger", got=repr(action), cure=cure)


def status(session: Session) -> Answer:
    """Say where the project stands. Data, split, run, package, production, open approvals, and the next step."""
    from modelyard.cli.show.accounts import show_status

    report = session.project.status()
    return Answer(report.to_dict(), show_status(report))


def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where the demo project is made.")] = Path("demo"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove an earlier demo in that folder first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON on standard output.")] = False,
) -> None:
    """Play the whole life of a model. On the churn data that ships with modelyard, in a few minutes."""
    from modelyard.cli.show.demo import TerminalStage, show_curtain
    from modelyard.demo.story import play

    outcome = play(folder, stage=TerminalStage(quiet=as_json), fresh=fresh)
    print_answer(Answer(outcome.to_dict(), show_curtain(outcome)), as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    verb(app, "ledger")(ledger)
    verb(app, "status")(status)
    app.command("demo")(demo)
