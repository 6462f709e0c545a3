"""Commands about what a version must show, and who says that it holds: gates, validate, review-break-glass."""

from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; goes to the ledger.")]


def gates(
    session: Session,
    version: Annotated[int | None, typer.Argument(help="Version number; the newest by default.", min=1)] = None,
) -> Answer:
    """Show what the gates say of a version. What the policy's tier asks, what there is, and what to do about the difference."""
    from modelyard.cli.show.oversight.gates import show_decision
    from modelyard.governance.gating import refusal

    decision = session.project.oversight.gates(version)
    code = ExitCode.DONE if decision.passed else ExitCode(refusal(decision).exit_code)
    return Answer({**decision.to_dict(), "passed": decision.passed}, show_decision(decision), code)


def validate(
    session: Session,
    version: Annotated[int, typer.Argument(help="Version number in the registry.", min=1)],
    reason: ReasonOption,
    fails: Annotated[
        bool, typer.Option("--fails", help="It does not hold: the gate says no until somebody says yes.")
    ] = False,
) -> Answer:
    """Say as a validator whether a version holds. Bound to its bytes and to what the gates ask; nobody validates their own model."""
    from modelyard.cli.show.oversight.gates import show_validation

    found = session.project.oversight.validate(version, reason, holds=not fails)
    return Answer(found.to_dict(), show_validation(found))


def review_break_glass(
    session: Session,
    version: Annotated[int, typer.Argument(help="The version that was promoted past the gates.", min=1)],
    reason: ReasonOption,
) -> Answer:
    """Review a promotion that went past the gates. Somebody else must, in the time that the policy gives."""
    from modelyard.cli.show.oversight.gates import show_review

    found = session.project.oversight.review_broken_glass(version, reason)
    return Answer(found.to_dict(), show_review(found))


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for name, function in (("gates", gates), ("validate", validate), ("review-break-glass", review_break_glass)):
        verb(app, name)(function)
