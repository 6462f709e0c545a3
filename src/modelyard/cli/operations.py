"""Commands that run a model: serve, score, monitor, retrain."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.packages.trust import AllowSkopsOption
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb
from modelyard.cli.watching.files import write_figures

if TYPE_CHECKING:
    from modelyard.retraining import Decision

__all__ = ["add_to", "decided"]


def serve(
    session: Session,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.", min=0, max=65535)] = 8080,
    keys: Annotated[
        bool | None,
        typer.Option("--keys/--no-keys", help="Whether callers need a token; by default from other machines."),
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Requests a second that a caller may send.")] = None,
    tls: Annotated[tuple[Path, Path] | None, typer.Option("--tls", help="PEM files: certificate and key.")] = None,
    allow_skops: AllowSkopsOption = None,
    traces_to: Annotated[str | None, typer.Option("--traces-to", help="OTLP receiver of traces, an address.")] = None,
) -> Answer:
    """Serve what is in production. Over HTTP, until interrupted; every answer is in the prediction log."""
    from rich.text import Text

    from modelyard.packaging.predictors import declare_trust

    declare_trust(allow_skops)
    session.project.serve(host=host, port=port, keys=keys, rate_per_s=rate, tls=tls, traces_to=traces_to)
    return Answer({"host": host, "port": port}, Text("The server has stopped."))


def score(
    session: Session,
    source: Annotated[str, typer.Argument(help="Table to score: a file, a folder of parts, or an address.")],
    destination: Annotated[
        str, typer.Argument(help="Where the scores go: .csv, .jsonl or .parquet, or a table: sqlite:///shop.db#scores.")
    ],
    query: Annotated[str | None, typer.Option("--query", help="What is asked of a database: one SELECT.")] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="Version to score with; production by default.", min=1)
    ] = None,
    uncertainty: Annotated[
        bool,
        typer.Option("--uncertainty", help="Add an interval and quantiles, or a set of classes, to each prediction."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on with the same work if it was broken off.")
    ] = True,
    engine: Annotated[
        str, typer.Option("--engine", help="Who scores: local, ray (started here), or a cluster: ray://host:10001.")
    ] = "local",
) -> Answer:
    """Score a table. Rows that break the contract are set aside; a command that was killed goes on when run again."""
    from modelyard.adapters.engines import engine_of
    from modelyard.cli.show.operations import show_batch
    from modelyard.serving import BatchSettings

    with engine_of(engine) as scoring:
        settings = BatchSettings(uncertainty=uncertainty, resume=resume, engine=scoring)
        report = session.project.score(source, destination, query=query, version=version, settings=settings)
    return Answer(report.to_dict(), show_batch(report))


def monitor(
    session: Session,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Judge this table instead of the prediction log; of forecasts, what was told."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", help="Table with columns id and label, to join to predictions; of forecasts, what came."
        ),
    ] = None,
    alerts: Annotated[
        bool | None,
        typer.Option(
            "--alerts/--no-alerts", help="Whether alerts open, end and are told of; not with --data, by default."
        ),
    ] = None,
    prometheus: Annotated[
        Path | None, typer.Option("--prometheus", help="Write the figures there, for Prometheus' textfile collector.")
    ] = None,
) -> Answer:
    """Judge recent predictions. Drift, data quality, performance once labels came, and the likely cause."""
    from modelyard.cli.show.operations import show_monitoring

    project = session.project
    report = project.monitor(data=data, labels=labels, alerts=alerts)
    if prometheus is not None:
        write_figures(session, report, prometheus)
    code = ExitCode.REFUSED if report.has_alarms else ExitCode.DONE
    desk = project.alerts
    view = show_monitoring(report, project.page("monitoring"), desk.open(), waiting=len(desk.waiting()))
    return Answer(report.to_dict(), view, code)


def retrain(
    session: Session,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="New labelled rows; by default the source as it is now, and labelled predictions."),
    ] = None,
    despite: Annotated[
        str, typer.Option("--despite", help="Why to retrain although the last monitoring named a broken pipeline.")
    ] = "",
    if_due: Annotated[
        bool,
        typer.Option("--if-due", help="Only if a trigger of the project file asks for it and no guard holds it back."),
    ] = False,
) -> Answer:
    """Train a challenger on new rows. It is registered only if a paired test says that it is better."""
    if if_due:
        return _retrained_if_due(session, data, despite)
    return decided(session.project.retrain(data, despite=despite))


def _retrained_if_due(session: Session, data: Path | None, despite: str) -> Answer:
    """What was pulled and what came of it; done in any case, since nobody has asked for a result."""
    from modelyard.cli.show.operations import show_attempt
    from modelyard.core import ConfigError
    from modelyard.retraining import retrain_if_due

    if data is not None or despite:
        given = "--data" if data is not None else "--despite"
        raise ConfigError(
            "triggers collect the rows and heed the cause", where="--if-due", got=given, cure="Leave it out"
        )
    project = session.project
    attempt = retrain_if_due(project.workspace, project.problem, project.actor, progress=session.progress)
    return Answer(attempt.to_dict(), show_attempt(attempt, any_trigger=project.problem.retraining.triggers.any))


def decided(decision: "Decision") -> Answer:
    """What came of a challenger: done if there is one, refused if the champion stays."""
    from modelyard.cli.show.operations import show_decision

    code = ExitCode.DONE if decision.has_challenger else ExitCode.REFUSED
    return Answer(decision.to_dict(), show_decision(decision), code)


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for name, function in (("serve", serve), ("score", score), ("monitor", monitor), ("retrain", retrain)):
        verb(app, name)(function)
