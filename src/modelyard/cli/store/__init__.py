"""Commands of the store: the ledger.

Takes: options.
Gives: an answer of the ledger: rows, a verification, a signature, a move to a shared store.
Never: decides anything.
"""

from modelyard.cli.store.ledger import add_to

__all__ = ["add_to"]
