"""Commands on packages.

Takes: a project, or the folder of a package wherever it lies.
Gives: the commands ``package`` and ``bench``.
Never: holds rules.
"""

import typer

from modelyard.cli.packages import bench, package

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this folder."""
    for command in (package, bench):
        command.add_to(app)
