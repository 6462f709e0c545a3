"""What the ledger and the user's repository know about a package to be built."""

from modelyard.core import Actor
from modelyard.data import Split, SplitRecord, openings_of
from modelyard.packaging.card import DecisionNote, TestOpening
from modelyard.packaging.finishing import BuildDetails
from modelyard.store import LedgerRow, Workspace, ask_git

__all__ = ["build_details"]


def build_details(workspace: Workspace, split: Split, actor: Actor) -> BuildDetails:
    """Author, code commit, every opening of the split's test part, and the decisions that the ledger holds."""
    rows = workspace.ledger.rows()
    opened = openings_of(workspace.ledger, split.record.test_digest, split.record.test_content)
    openings = tuple(TestOpening(row.at, row.actor, str(row.details["reason"])) for row in opened)
    decisions = tuple(note for row in rows for note in _decisions(row, split.record))
    return BuildDetails(
        author=actor.name,
        code_commit=ask_git(workspace.root, "rev-parse", "HEAD").strip(),
        ledger_position=rows[-1].sequence if rows else 0,
        openings=openings,
        decisions=decisions,
    )


def _decisions(row: LedgerRow, split: SplitRecord) -> tuple[DecisionNote, ...]:
    """The decision that a row stands for; most rows stand for none, and what was accepted holds for its split only."""
    if row.action == "run.finished" and row.details.get("accepted") and row.details.get("split") == split.id:
        return (DecisionNote(row.at, row.actor, "trained despite errors of the audit", str(row.details["accepted"])),)
    if row.action == "data.corrected" and row.subject in split.corrections:
        what = f"corrected training and validation rows ({row.subject}): {row.details['what']}"
        return (DecisionNote(row.at, row.actor, what, str(row.details["reason"])),)
    if row.action in ("version.rejected", "version.rolled_back"):
        return (DecisionNote(row.at, row.actor, f"{row.action}: {row.subject}", str(row.details.get("reason", ""))),)
    return ()
