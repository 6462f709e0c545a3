"""Commands by which people see to versions and models.

Takes: a project, or several.
Gives: the commands ``gates``, ``validate`` and ``review-break-glass``.
Never: holds rules.
"""

import typer

from modelyard.cli.oversight import gates

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this folder."""
    gates.add_to(app)
