"""Commands that bring a version to all requests step by step: deploy, rollout."""

from typing import Annotated

import typer

from modelyard.cli.release import VersionArgument
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def deploy(
    session: Session,
    version: VersionArgument,
    strategy: Annotated[
        str, typer.Option("--strategy", help="canary (steps), shadow (asked, not heard) or ab (compared by labels).")
    ] = "canary",
) -> Answer:
    """Roll out an approved version beside the one in production. In the steps of the project file; it is taken back by itself."""
    session.project.rollouts.begin(version, strategy)
    return _answer(session)


def rollout(
    session: Session,
    resume: Annotated[bool, typer.Option("--resume", help="End a pause.")] = False,
    abort: Annotated[
        str | None, typer.Option("--abort", help="Take every request from the version; why goes to the ledger.")
    ] = None,
    promote: Annotated[bool, typer.Option("--promote", help="Skip the steps that are left.")] = False,
) -> Answer:
    """Show or steer the rollout under way. Its steps, the figures on which they rested, and how it ended."""
    from modelyard.core import ConfigError

    if resume + (abort is not None) + promote > 1:
        raise ConfigError(
            "a rollout goes one way", where="rollout", cure="Give one of --resume, --abort REASON and --promote"
        )
    rollouts = session.project.rollouts
    if resume:
        rollouts.resume()
    elif abort is not None:
        rollouts.abort(abort)
    elif promote:
        rollouts.promote()
    return _answer(session)


def _answer(session: Session) -> Answer:
    """The newest rollout with its changes."""
    from modelyard.cli.show.rollout import show_rollout
    from modelyard.core import StateError

    found = session.project.rollouts.latest()
    if found is None:
        raise StateError("there was no rollout yet", where="rollout", cure="Run: modelyard deploy VERSION")
    view, changes = found
    record = {**view.to_dict(), "changes": [change.to_dict() for change in changes]}
    return Answer(record, show_rollout(view, changes))


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    verb(app, "deploy")(deploy)
    verb(app, "rollout")(rollout)
