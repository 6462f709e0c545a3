"""Which case is under way: the one that is pointed to, until the ledger says how it ended."""

import contextlib

from modelyard.core import IntegrityError, StateError
from modelyard.retraining.cases.records import CaseNotes
from modelyard.store import Workspace, load_record

__all__ = ["DECIDED", "GIVEN_UP", "NAME", "POINTER", "case_under_way"]

DECIDED, GIVEN_UP = "model.retrained", "model.retraining_given_up"
"""The ledger's words for the two ends of a case; its id is the subject."""

NAME = "case"
POINTER = "retraining"


def case_under_way(workspace: Workspace) -> CaseNotes | None:
    """The retraining that was begun and has not ended; None if there is none."""
    id_ = workspace.pointer(POINTER)
    if id_ is None or any(workspace.ledger.count(action, id_) for action in (DECIDED, GIVEN_UP)):
        return None
    # Notes that were never written, or cannot be read, have nothing to go on with.
    with contextlib.suppress(StateError, IntegrityError):
        return load_record(CaseNotes, workspace.folder("retraining", id_), NAME, cure="")
    return None
