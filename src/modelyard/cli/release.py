"""Commands that release a model: register, approve, reject, promote, deploy, rollout, rollback."""

import datetime as dt
from typing import Annotated

import typer

from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]

VersionArgument = Annotated[int, typer.Argument(help="Version number in the registry.", min=1)]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; goes to the ledger.")]


def register(session: Session) -> Answer:
    """Enter the package into the registry. It becomes an immutable version and asks for approval."""
    from modelyard.cli.show.release import show_version

    version = session.project.register()
    return Answer(version.to_dict(), show_version(version, "registered"))


def approve(
    session: Session,
    version: VersionArgument,
    reason: ReasonOption,
    condition: Annotated[
        list[str] | None,
        typer.Option("--condition", help='Under which: "shadow 7d", "canary 10%", "canary 10% 1d" (repeatable).'),
    ] = None,
) -> Answer:
    """Approve a version. By policy somebody else than its author must do it."""
    from modelyard.cli.show.release import show_version

    approved = session.project.approve(version, reason, condition or [])
    return Answer(approved.to_dict(), show_version(approved, "approved"))


def reject(session: Session, version: VersionArgument, reason: ReasonOption) -> Answer:
    """Reject a version. It can never be promoted."""
    from modelyard.cli.show.release import show_version

    rejected = session.project.reject(version, reason)
    return Answer(rejected.to_dict(), show_version(rejected, "rejected"))


def promote(
    session: Session,
    version: VersionArgument,
    break_glass: Annotated[
        str | None,
        typer.Option(
            "--break-glass", help="Go past the gates, and why: one operator alone; somebody else must review it."
        ),
    ] = None,
) -> Answer:
    """Put an approved version into production. Refused until every gate says yes to these very bytes, and enough people have."""
    from modelyard.cli.show.release import show_deployment

    deployment = session.project.promote(version, break_glass=break_glass)
    return Answer(deployment.to_dict(), show_deployment(deployment, glass=break_glass, is_served=_is_served(session)))


def deploy(
    session: Session,
    version: VersionArgument,
    strategy: Annotated[
        str, typer.Option("--strategy", help="canary (steps), shadow (asked, not heard) or ab (compared by labels).")
    ] = "canary",
    stage: Annotated[
        str | None,
        typer.Option("--stage", help="staging: try it on an address of its own, and let no request come to it yet."),
    ] = None,
) -> Answer:
    """Roll out an approved version beside the one in production. In the steps of the project file; it is taken back by itself."""
    if stage is not None:
        return _staged(session, version, stage)
    session.project.rollouts.begin(version, strategy)
    return _answer(session)


def _staged(session: Session, version: int, stage: str) -> Answer:
    """The trial of a version in staging."""
    from modelyard.cli.show.release import show_staging
    from modelyard.core import ConfigError

    if stage != "staging":
        raise ConfigError(
            "there is no such stage to deploy to",
            where="--stage",
            got=repr(stage),
            cure="Give --stage staging; shadow and canary are strategies, and their shares the steps of the project file",
        )
    found = session.project.oversight.stage(version)
    return Answer(found.to_dict(), show_staging(found))


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
    from modelyard.serving.routing.beside import side_by_side

    found = session.project.rollouts.latest()
    if found is None:
        raise StateError("there was no rollout yet", where="rollout", cure="Run: modelyard deploy VERSION")
    view, changes = found
    project = session.project
    package = project.packages.package(view.rollout.version)
    beside = side_by_side(project.workspace, project.problem, package, view)
    record = {**view.to_dict(), "changes": [change.to_dict() for change in changes], "beside": beside.to_dict()}
    return Answer(record, show_rollout(view, changes, beside))


def rollback(session: Session, reason: ReasonOption) -> Answer:
    """Go back to the version before. While one is rolled out, it is taken back; else the deployment log says which one it is."""
    from modelyard.cli.show.release import show_deployment

    deployment = session.project.rollback(reason)
    return Answer(deployment.to_dict(), show_deployment(deployment, is_served=_is_served(session)))


def _is_served(session: Session) -> bool:
    """Whether what is in production answers rows."""
    course = session.project.course
    return course is None or course.answers_rows


def token(
    session: Session,
    owner: Annotated[
        str | None, typer.Argument(help="Person or program that will act with the token; without one all are listed.")
    ] = None,
    role: Annotated[list[str] | None, typer.Option("--role", help="A role the owner holds (repeatable).")] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Make all tokens of the owner void.")] = False,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Model for which alone it is (repeatable); all by default.")
    ] = None,
    days: Annotated[int, typer.Option("--days", help="Days until it expires.", min=1, max=3650)] = 90,
) -> Answer:
    """Let somebody else act on this project, or ask its server. Makes a token, shown once and stored as a hash."""
    from modelyard.cli.show.release import show_revoked, show_token, show_tokens

    tokens = session.project.tokens()
    if owner is None:
        valid = tokens.valid()
        return Answer([token.to_dict() for token in valid], show_tokens(valid))
    if revoke:
        count = tokens.revoke(owner)
        return Answer({"owner": owner, "revoked": count}, show_revoked(owner, count))
    roles = role or []
    secret = tokens.create(owner, roles, models=model or [], lifetime=dt.timedelta(days=days))
    record = {"owner": owner, "roles": roles, "models": model or [], "days": days, "token": secret}
    return Answer(record, show_token(owner, roles, secret, days))


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    verbs = (
        ("register", register),
        ("approve", approve),
        ("reject", reject),
        ("promote", promote),
        ("deploy", deploy),
        ("rollout", rollout),
        ("rollback", rollback),
        ("token", token),
    )
    for name, function in verbs:
        verb(app, name)(function)
