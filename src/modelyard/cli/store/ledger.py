"""The command of the ledger: show, verify, export, sign, share, and go on after a loss."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

if TYPE_CHECKING:
    from modelyard.store import Ledger

__all__ = ["add_to"]

_ACTIONS = ("show", "verify", "export", "checkpoint", "key", "renew", "share")


def ledger(
    session: Session,
    action: Annotated[str, typer.Argument(help="show, verify, export, checkpoint, key, renew or share.")] = "show",
    out: Annotated[Path | None, typer.Option("--out", help="File for export (JSON lines).")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why renew goes on after a loss; goes to the ledger.")] = "",
) -> Answer:
    """Show, verify or export the ledger; sign it, share it. Verification recomputes the whole hash chain, and the registry from it."""
    from modelyard.cli.store.views import show_export, show_renewal, show_rows, show_signed, show_verification
    from modelyard.core import ConfigError
    from modelyard.governance import require_permission, verify_ledger
    from modelyard.problem import did_you_mean

    if action not in _ACTIONS:
        cure = did_you_mean(action, _ACTIONS)
        raise ConfigError("the ledger cannot do that", where="ledger", got=repr(action), cure=cure)
    if action in ("key", "share"):
        return _key(session) if action == "key" else _share(session)
    book: Ledger = session.project.ledger()
    if action == "verify":
        result = verify_ledger(book)
        return Answer(result.to_dict(), show_verification(result), ExitCode.DONE if result.ok else ExitCode.REFUSED)
    if action == "export":
        path = out or session.folder / "ledger.jsonl"
        count = book.export(path)
        return Answer({"path": str(path), "rows": count}, show_export(path, count))
    if action == "checkpoint":
        head = book.checkpoint()
        return Answer(head.to_dict(), show_signed(head))
    if action == "renew":
        require_permission(session.project.actor, "renew_ledger")
        row = book.renew_head(session.project.actor, reason)
        return Answer(row.to_dict(), show_renewal(row))
    rows = book.rows()
    return Answer([row.to_dict() for row in rows], show_rows(rows))


def _key(session: Session) -> Answer:
    """The public key of this machine; made if there is none yet."""
    from modelyard.cli.store.views import show_key
    from modelyard.problem import load_problem
    from modelyard.store.checkpoints import key_of, make_key, public_key

    problem = load_problem(session.folder, env=session.env, settings=session.settings).problem
    path = key_of(problem.store.checkpoints, session.folder)
    is_new = not path.exists()
    public = make_key(path) if is_new else public_key(path)
    return Answer({"key": str(path), "public": public, "is_new": is_new}, show_key(path, public, is_new=is_new))


def _share(session: Session) -> Answer:
    """The project is not opened: as long as it has two histories, it cannot be."""
    from modelyard.cli.store.views import show_shared
    from modelyard.problem import load_problem
    from modelyard.store import share_ledger

    problem = load_problem(session.folder, env=session.env, settings=session.settings).problem
    shared = share_ledger(session.folder / ".modelyard", problem.store)
    return Answer(shared.to_dict(), show_shared(shared))


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "ledger")(ledger)
