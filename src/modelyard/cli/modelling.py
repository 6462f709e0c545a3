"""Commands that make a model: audit, train, sync, evaluate."""

import dataclasses
import enum
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.operations import decided
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


class FailOn(enum.StrEnum):
    """From which severity on the audit ends with exit code 3."""

    WARNING = "warning"
    ERROR = "error"


def audit(
    session: Session,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="End with exit code 3 from this severity on: error or warning.")
    ] = FailOn.ERROR,
    acknowledge: Annotated[
        list[str] | None,
        typer.Option("--acknowledge", help="A finding that may stay: ID or ID:SUBJECT (repeatable)."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why it may stay; goes to the ledger.")] = "",
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until", formats=["%Y-%m-%d"], help="Last day on which that holds; 90 days from now if not given."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out the checks that train a model; no gate for training.")
    ] = False,
) -> Answer:
    """Split, seal, and look for faults. The split comes first, the test part is sealed, and only training rows are searched."""
    from modelyard.cli.show.modelling import show_audit
    from modelyard.core import Severity, worst_severity

    last_day = until.date() if until else None
    report = session.project.audit(acknowledge=acknowledge or (), reason=reason, until=last_day, quick=quick)
    worst = worst_severity(report.open_findings)
    refused = worst is not None and worst.rank >= Severity(fail_on.value).rank
    code = ExitCode.REFUSED if refused else ExitCode.DONE
    return Answer(report.to_dict(), show_audit(report, session.project.page("audit")), code)


def train(
    session: Session,
    accept: Annotated[
        str | None, typer.Option("--accept", help="Train despite error findings; the reason goes to the ledger.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Continue an interrupted run from what was finished.")
    ] = True,
    budget: Annotated[
        str | None, typer.Option("--budget", help="Time that training may use: 60s, 5m, 1h30m (training.budget).")
    ] = None,
    replay: Annotated[
        str | None, typer.Option("--replay", help="Id of a run whose plan is carried out again, without a clock.")
    ] = None,
    train_table: Annotated[
        str | None, typer.Option("--train", help="Table to learn from, for this once (data.source).")
    ] = None,
    test_table: Annotated[
        str | None, typer.Option("--test", help="Table to seal as the test part, for this once (data.test_source).")
    ] = None,
    update: Annotated[
        Path | None,
        typer.Option(
            "--update", help="New labelled rows: the model in production goes on learning, gated as in retrain."
        ),
    ] = None,
) -> Answer:
    """Train, choose and explain the choice. Baselines first, then candidates by cross-validation; the simplest good one wins."""
    from modelyard.cli.show.modelling import show_training
    from modelyard.core import ConfigError

    if update is not None and accept is not None:
        cure = "Acknowledge what may stay: modelyard audit --acknowledge ID --reason ..."
        raise ConfigError("an update asks the gates of a retraining", where="train", got="--accept", cure=cure)
    if update is not None:
        return decided(session.project.retrain(update, update=True))
    given = {"training.budget": budget, "data.source": _here(train_table), "data.test_source": _here(test_table)}
    settings = tuple(f"{key}={value}" for key, value in given.items() if value is not None)
    session = dataclasses.replace(session, settings=(*session.settings, *settings))
    run = session.project.train(accept=accept, resume=resume, replay=replay)
    return Answer(run.record.to_dict(), show_training(run.record))


def _here(table: str | None) -> str | None:
    """A path that is meant from where the command is run, for a project that lies elsewhere; addresses as they are."""
    from modelyard.problem.address import is_url

    return table if table is None or is_url(table) else str(Path(table).resolve())


def sync(session: Session) -> Answer:
    """Send runs that wait to the tracker of the project file. A run waits if its tracker could not be reached; the next training sends it too."""
    from modelyard.cli.show.modelling import show_sync
    from modelyard.governance import require_permission
    from modelyard.training.tracking import sync_runs

    project = session.project
    require_permission(project.actor, "train")
    with project.workspace.lock():
        found = sync_runs(project.problem, project.workspace)
    return Answer(found.to_dict(), show_sync(found), ExitCode.BROKEN if found.problem else ExitCode.DONE)


def evaluate(
    session: Session,
    open_test: Annotated[
        str | None, typer.Option("--open-test", help="Open the sealed test part, for this reason; counted for ever.")
    ] = None,
    experts: Annotated[
        Path | None,
        typer.Option("--experts", help="A table of experts' answers: the row's id, and a column for each expert."),
    ] = None,
) -> Answer:
    """Measure the winner. On validation rows; with --open-test also, once, on the sealed test part."""
    from modelyard.cli.show.modelling import show_evaluation

    result = session.project.evaluate(open_test=open_test, experts=experts)
    code = ExitCode.DONE if all(guardrail.met for guardrail in result.guardrails) else ExitCode.REFUSED
    return Answer(result.to_dict(), show_evaluation(result, session.project.page("evaluation")), code)


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for name, function in (("audit", audit), ("train", train), ("sync", sync), ("evaluate", evaluate)):
        verb(app, name)(function)
