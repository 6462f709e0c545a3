"""The command ``export``: a package in another format."""

from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def export(
    session: Session,
    runtime: Annotated[str, typer.Argument(help="What shall run it: onnx.")],
    version: Annotated[
        int | None, typer.Argument(help="Version number in the registry; the newest package by default.", min=1)
    ] = None,
    to: Annotated[Path, typer.Option("--to", help="The file.")] = Path("model.onnx"),
    force: Annotated[
        bool, typer.Option("--force", help="Write it even if its answers differ by more than the package allows.")
    ] = False,
) -> Answer:
    """Write a package as one file for other runtimes. ONNX: columns in, scores and labels out, parity measured first."""
    from modelyard.cli.show.packages import show_export
    from modelyard.core import ConfigError

    if runtime != "onnx":
        raise ConfigError(
            "there is no such runtime to write for",
            where="export",
            got=repr(runtime),
            cure="Run: modelyard export onnx",
        )
    exported = session.project.packages.export_onnx(to, version, force=force)
    return Answer(exported.to_dict(), show_export(exported))


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "export")(export)
