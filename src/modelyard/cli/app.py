"""The command ``modelyard``: its verbs in the order of a model's life."""

import sys
from typing import Annotated

import typer

from modelyard.cli import (
    accounts,
    curation,
    labelling,
    modelling,
    operations,
    oversight,
    packages,
    problem,
    release,
    scheduling,
    shipping,
    watching,
)
from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.progress import clear_progress
from modelyard.cli.watching.alert_lines import show_alerts
from modelyard.core.errors import ModelyardError
from modelyard.version import __version__

__all__ = ["app", "main"]

app = typer.Typer(
    name="modelyard",
    help="From a table and a question to a model in production that is watched, retrained and accounted for.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the command itself."""


for _room in (
    problem,
    curation,
    modelling,
    packages,
    release,
    oversight,
    shipping,
    operations,
    watching,
    scheduling,
    labelling,
    accounts,
):
    _room.add_to(app)


def _run() -> None:
    """Run the command; no bar is left on the screen, whatever happens."""
    show_alerts()
    try:
        app()
    finally:
        clear_progress()


def main() -> None:
    """Run the command line; every error that was raised on purpose becomes one sentence and its exit code."""
    try:
        _run()
    except ModelyardError as error:
        sys.stderr.write(f"modelyard: {error.sentence}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("modelyard: interrupted; what was finished is kept, run the command again to go on.\n")
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        sys.exit(ExitCode.DONE)
