"""The command ``alerts``: see them, take them, silence them, say whether they were of use, try a sink."""

import datetime as dt
from typing import Annotated

import typer

from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def alerts(
    session: Session,
    ack: Annotated[str | None, typer.Option("--ack", help="Take the alert of this id; its end will do.")] = None,
    silence: Annotated[
        str | None, typer.Option("--silence", help="Tell nobody of this key; * stands for anything.")
    ] = None,
    length: Annotated[str, typer.Option("--for", help="How long the silence lasts: 7d, 12h; 0d ends it.")] = "7d",
    reason: Annotated[str, typer.Option("--reason", help="Why; goes to the ledger. A silence needs one.")] = "",
    useful: Annotated[
        str | None, typer.Option("--useful", help="The alert of this id was worth the time; it was not: ID:no.")
    ] = None,
    test: Annotated[str | None, typer.Option("--test", help="Send a test message to this sink.")] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Every alert there was, with what happened to it.")
    ] = False,
) -> Answer:
    """Show open alerts, or handle them. Take one, silence a key for a time, say whether one was of use, test a sink."""
    from modelyard.cli.show.watching import show_alert, show_alerts, show_history, show_silence
    from modelyard.core import ConfigError

    asked = [name for name, value in locals().items() if name in _ACTIONS and value not in (None, False)]
    if len(asked) > 1:
        raise ConfigError(
            "one thing at a time", where="alerts", got=" ".join(f"--{name}" for name in asked), cure="Give one of them"
        )
    desk = session.project.alerts
    if ack is not None:
        taken = desk.acknowledge(ack, reason)
        return Answer(taken.to_dict(), show_alert(taken, "Taken."))
    if useful is not None:
        rated = desk.rate(useful.removesuffix(":no"), useful=not useful.endswith(":no"), reason=reason)
        return Answer(rated.to_dict(), show_alert(rated, "Noted."))
    if silence is not None:
        kept = desk.silence(silence, _length(length), reason)
        return Answer(kept.to_dict(), show_silence(kept))
    if test is not None:
        return _tested(session, test)
    if history:
        found = desk.history()
        record = [{**one.to_dict(), "changes": [item.to_dict() for item in happened]} for one, happened in found]
        return Answer(record, show_history(found))
    current, silences, waiting = desk.open(), desk.silences(), desk.waiting()
    state = {
        "open": [one.to_dict() for one in current],
        "silences": [one.to_dict() for one in silences],
        "waiting": [{"id": one.id, "sink": one.sink, "at": one.at.isoformat()} for one in waiting],
    }
    return Answer(state, show_alerts(current, silences, waiting))


_ACTIONS = ("ack", "silence", "useful", "test", "history")


def _length(text: str) -> dt.timedelta:
    """A length of time: 7d, 12h, 1d12h; 0d is none."""
    import re

    from modelyard.core import ConfigError
    from modelyard.problem.duration import seconds_of

    if not re.fullmatch(r"(\d+[dhms])+", text):
        raise ConfigError(
            "this is no length of time", where="--for", got=repr(text), cure="Write it as 7d, 12h or 1d12h"
        )
    return dt.timedelta(seconds=seconds_of(text))


def _tested(session: Session, name: str) -> Answer:
    """A test message; its failure is the command's."""
    from modelyard.cli.show.blocks import headline
    from modelyard.governance import require_permission
    from modelyard.monitoring.alerting import try_sink

    project = session.project
    require_permission(project.actor, "handle_alerts")
    try_sink(name, project.problem, project.root)
    return Answer({"sink": name, "delivered": True}, headline(f"The sink {name} took the test message."))


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "alerts")(alerts)
