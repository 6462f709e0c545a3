"""The command about labels: hand rows out, read labels in, and make a table of what holds."""

from pathlib import Path
from typing import Annotated, Any

import typer

from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def label(
    session: Session,
    action: Annotated[str, typer.Argument(help="export, import, show or apply.")],
    file: Annotated[
        str | None, typer.Argument(help="export: the table of rows without labels; import: the labels.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="File that export or apply writes (CSV).")] = Path("labels.csv"),
    rows: Annotated[int, typer.Option("--rows", help="export: rows to label.")] = 100,
    random: Annotated[float, typer.Option("--random", help="export: share of rows drawn by chance.")] = 0.3,
    annotator: Annotated[str, typer.Option("--annotator", help="import: who gave the labels.")] = "",
    rule: Annotated[
        str,
        typer.Option("--rule", help="majority or unanimous; also 'majority kappa>=0.4 annotators>=2'."),
    ] = "majority",
) -> Answer:
    """Have rows labelled. Exports rows by chance and those the model knows least of, imports labels, measures agreement, makes a table."""
    from modelyard.cli.show import labelling as show
    from modelyard.core import ConfigError
    from modelyard.data.labelling import LabelRule
    from modelyard.problem import did_you_mean
    from modelyard.retraining import labelling

    if action not in ("export", "import", "show", "apply"):
        cure = did_you_mean(action, ["export", "import", "show", "apply"])
        raise ConfigError("labels cannot do that", where="label", got=repr(action), cure=cure)
    if action in ("export", "import") and file is None:
        raise ConfigError(f"{action} needs a file", where="label", cure=f"Run: modelyard label {action} FILE")
    project = session.project
    workspace, problem, actor = project.workspace, project.problem, project.actor
    if action == "export":
        with workspace.lock():
            handed: Any = labelling.export_rows(
                workspace, problem, actor, str(file), out, count=rows, random_share=random
            )
        return Answer(handed.to_dict(), show.show_export(handed))
    if action == "import":
        with workspace.lock():
            read = labelling.import_labels(workspace, actor, str(file), annotator)
        return Answer(read.to_dict(), show.show_import(read))
    chosen = LabelRule.parse(rule)
    if action == "show":
        verdict = labelling.label_verdict(workspace, chosen)
        return Answer(verdict.to_dict(), show.show_verdict(verdict))
    with workspace.lock():
        made = labelling.apply_labels(workspace, problem, actor, out, chosen)
    return Answer(made.to_dict(), show.show_table(made))


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    verb(app, "label")(label)
