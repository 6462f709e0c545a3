"""Do what is due, once or again and again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

if TYPE_CHECKING:
    from modelyard.schedule import Ran, Tick

__all__ = ["add_to"]

HealthOption = Annotated[
    Path | None,
    typer.Option("--health", help="File that every look rewrites; FILE.prom for Prometheus' textfile collector."),
]


def tick(
    session: Session,
    show: Annotated[bool, typer.Option("--show", help="Do nothing; list the jobs and when each is due.")] = False,
    health: HealthOption = None,
) -> Answer:
    """Do whatever is due, once. Monitoring, alerts, retraining, reviews, checkpoints, tables to score; for cron and systemd."""
    from modelyard.cli.show.schedule import show_jobs, show_tick

    schedule = session.project.schedule
    if show:
        states = schedule.jobs()
        return Answer([state.to_dict() for state in states], show_jobs(states))
    done = schedule.tick()
    _alive(session, health)(done)
    code = ExitCode.BROKEN if done.has_failures else ExitCode.DONE
    return Answer(done.to_dict(), show_tick(done), code)


def watch(
    session: Session,
    once: Annotated[bool, typer.Option("--once", help="Do what is due and end, as `modelyard tick` does.")] = False,
    standby: Annotated[
        bool, typer.Option("--standby", help="Wait while another process does it, and take over when that is gone.")
    ] = False,
    health: HealthOption = None,
) -> Answer:
    """Do what is due, until interrupted. One process that monitors, alerts and retrains; a line for each thing done."""
    from rich.text import Text

    if once:
        return tick(session, health=health)
    session.project.schedule.watch(_teller(session), alive=_alive(session, health), standby=standby)
    return Answer({"ended": True}, Text("The watch has ended; what was broken off goes on with the next one."))


def _teller(session: Session) -> "Callable[[Ran], None]":
    """Prints each run that did something or failed; as JSON a line each."""
    from modelyard.cli.show.schedule import line_of
    from modelyard.schedule import Outcome

    def tell(ran: "Ran") -> None:
        if ran.outcome is not Outcome.NOTHING:
            typer.echo(json.dumps(ran.to_dict(), ensure_ascii=False) if session.as_json else line_of(ran))

    return tell


def _alive(session: Session, health: Path | None) -> "Callable[[Tick], None]":
    """Rewrites the file that says that the process lives."""
    from modelyard.core import write_atomic
    from modelyard.schedule.health import health_text

    def write(done: "Tick") -> None:
        if health is not None:
            project = session.project
            text = health_text(project.problem.name, done, project.schedule.jobs(), prometheus=health.suffix == ".prom")
            write_atomic(health, text)

    return write


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for name, function in (("tick", tick), ("watch", watch)):
        verb(app, name)(function)
