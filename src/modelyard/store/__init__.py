"""The store: what happened, and the artefacts that it happened to.

Takes: events, files, records.
Gives: an append-only ledger in a file or on a server, signed checkpoints of it, an object store by content, the project's workspace, trackers.
Never: forgets or overwrites.
"""

from modelyard.store.archive import load_record, save_record
from modelyard.store.chain import LedgerRow, Verification
from modelyard.store.database import repeated
from modelyard.store.ledger import Ledger
from modelyard.store.objects import ObjectStore
from modelyard.store.shared import Shared, open_ledger, share_ledger
from modelyard.store.tables import metadata
from modelyard.store.tracker import LocalTracker, Tracker, load_tracker
from modelyard.store.transaction import LedgerTransaction
from modelyard.store.versioning import ask_git, keep_out_of_git, tracked_artefacts
from modelyard.store.workspace import Workspace

__all__ = [
    "Ledger",
    "LedgerRow",
    "LedgerTransaction",
    "LocalTracker",
    "ObjectStore",
    "Shared",
    "Tracker",
    "Verification",
    "Workspace",
    "ask_git",
    "keep_out_of_git",
    "load_record",
    "load_tracker",
    "metadata",
    "open_ledger",
    "repeated",
    "save_record",
    "share_ledger",
    "tracked_artefacts",
]
