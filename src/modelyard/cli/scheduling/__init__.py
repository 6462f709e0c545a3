"""Commands about what is done by itself.

Takes: a project and the times of its section ``schedule``.
Gives: the commands ``tick`` and ``watch``.
Never: decides what is due; the room ``schedule`` does.
"""

from modelyard.cli.scheduling.commands import add_to

__all__ = ["add_to"]
