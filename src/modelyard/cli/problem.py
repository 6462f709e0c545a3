"""Commands about the question: new, check, explain."""

from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def new(
    session: Session,
    name: Annotated[str, typer.Argument(help="Name of the model; also the folder that is made.")],
    source: Annotated[str, typer.Option("--data", help="The table: a file, a folder of parts, or an address.")],
    target: Annotated[str, typer.Option("--target", help="Column to predict; clustering and anomaly do without.")] = "",
    query: Annotated[str | None, typer.Option("--query", help="What is asked of a database: one SELECT.")] = None,
    task: Annotated[
        str, typer.Option("--task", help="auto, or a task with a course of its own: forecasting, anomaly, clustering.")
    ] = "auto",
) -> Answer:
    """Begin a project from a table. Looks at the columns and writes modelyard.yaml with every choice explained."""
    from modelyard.cli.course import course_begun
    from modelyard.cli.show.problem import show_new
    from modelyard.project import Project

    project = Project.new(session.folder / name, data=source, target=target, query=query, task=task)
    if project.course is not None:
        return course_begun(project)
    report = project.check()
    inferred = project.draft.inferred if project.draft else {}
    record = {
        "project": str(project.root),
        "inferred": {key: {"value": value, "because": why} for key, (value, why) in inferred.items()},
        **report.to_dict(),
    }
    return Answer(record, show_new(project, report))


def check(session: Session) -> Answer:
    """Check the question that is asked. Objective, metric, prices, constraints, owner, and whether the data can answer it."""
    from modelyard.cli.show.problem import show_check

    report = session.project.check()
    code = ExitCode.REFUSED if report.has_errors else ExitCode.DONE
    return Answer(report.to_dict(), show_check(report), code)


def explain(
    session: Session,
    topic: Annotated[
        str,
        typer.Argument(
            help="What to explain: config (effective values), schema (JSON Schema), checks (of the audit) or card (JSON Schema of model cards)."
        ),
    ],
) -> Answer:
    """Explain what is configured and checked. Effective values and where each came from, the project file's JSON Schema, the audit's checks, or the schema of model cards."""
    from modelyard.cli.show.problem import show_checks, show_config, show_schema
    from modelyard.core import ConfigError
    from modelyard.problem import did_you_mean, json_schema

    if topic == "config":
        rows = session.project.config.explain()
        return Answer(
            [{"key": key, "value": value, "origin": origin} for key, value, origin in rows], show_config(rows)
        )
    if topic == "schema":
        return Answer(json_schema(), show_schema(json_schema()))
    if topic == "checks":
        from modelyard.audit import CHECKS

        return Answer([check.to_dict() for check in CHECKS], show_checks(CHECKS))
    if topic == "card":
        from modelyard.packaging.card import card_schema

        return Answer(card_schema(), show_schema(card_schema()))
    raise ConfigError(
        "there is nothing to explain by that name",
        where="explain",
        got=repr(topic),
        cure=did_you_mean(topic, ["config", "schema", "checks", "card"]),
    )


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for name, function in (("new", new), ("check", check), ("explain", explain)):
        verb(app, name)(function)
