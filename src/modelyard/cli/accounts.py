"""Commands that give account: data, status, demo."""

from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli import store
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import print_answer, verb

__all__ = ["add_to"]


def data(
    session: Session,
    action: Annotated[str, typer.Argument(help="list, show or diff.")] = "list",
    versions: Annotated[list[str] | None, typer.Argument(help="One version to show, two to compare; ids.")] = None,
) -> Answer:
    """List, show or compare versions of the data. Rows by content, columns, types, and how far each column has moved."""
    from modelyard.cli.show.versions import show_diff, show_version, show_versions
    from modelyard.core import ConfigError
    from modelyard.data import diff_versions, version_record, version_records
    from modelyard.problem import did_you_mean

    wanted = {"list": 0, "show": 1, "diff": 2}
    words = {"list": "no id", "show": "one id", "diff": "two ids"}
    ids = versions or []
    if action not in wanted:
        cure = did_you_mean(action, wanted)
        raise ConfigError("versions cannot do that", where="data", got=repr(action), cure=cure)
    if len(ids) != wanted[action]:
        cure = "Run: modelyard data list, then data show ID, or data diff ID ID"
        raise ConfigError(f"{action} takes {words[action]}", where="data", got=str(len(ids)), cure=cure)
    workspace = session.project.workspace
    if action == "list":
        records = version_records(workspace)
        return Answer([record.to_dict() for record in records], show_versions(records, workspace.pointer("dataset")))
    if action == "show":
        record = version_record(ids[0], workspace)
        return Answer(record.to_dict(), show_version(record))
    diff = diff_versions(ids[0], ids[1], workspace)
    return Answer(diff.to_dict(), show_diff(diff))


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
    verb(app, "data")(data)
    store.add_to(app)
    verb(app, "status")(status)
    app.command("demo")(demo)
