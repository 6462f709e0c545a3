"""Commands that carry a model away.

Takes: a version of the project, or the folder of a package.
Gives: ``modelyard image``, ``modelyard bundle`` and ``modelyard export``.
Never: decides what may leave; the room ``shipping`` does.
"""

from modelyard.cli.shipping.commands import add_to

__all__ = ["add_to"]
