"""A mirror of the registry in somebody else's catalogue of models, held against the ledger.

Takes: versions, stages, approvals and packages of the registry; a catalogue that can show them.
Gives: the same versions, aliases and tags there; what differs, and whether somebody changed it by hand.
Never: believes the mirror. What is in production is what the ledger says, whatever an alias there points to.
"""

from modelyard.oversight.mirroring.mirror import mirror
from modelyard.oversight.mirroring.protocol import Catalogue
from modelyard.oversight.mirroring.records import Difference, Mirrored, Shown, ShownVersion

__all__ = ["Catalogue", "Difference", "Mirrored", "Shown", "ShownVersion", "mirror"]
