"""Commands that make a model: audit, train, evaluate."""

import enum
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.verb import Answer, Session, verb

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
) -> Answer:
    """Train, choose and explain the choice. Baselines first, then candidates by cross-validation; the simplest good one wins."""
    from modelyard.cli.show.modelling import show_training

    run = session.project.train(accept=accept, resume=resume)
    return Answer(run.record.to_dict(), show_training(run.record))


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
    for name, function in (("audit", audit), ("train", train), ("evaluate", evaluate)):
        verb(app, name)(function)
