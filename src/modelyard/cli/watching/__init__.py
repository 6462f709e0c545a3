"""Commands about a model that is watched.

Takes: a project whose model is in production.
Gives: the commands ``alerts``, ``event``, ``review``, ``replay`` and ``skew``.
Never: decides what is an alert; the room ``monitoring`` does.
"""

import typer

from modelyard.cli.watching import alerts, event, replay, review, skew

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this folder."""
    for command in (alerts, event, review, replay, skew):
        command.add_to(app)
