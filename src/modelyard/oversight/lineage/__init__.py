"""Lineage: which step made what of what, from a source of rows to a prediction that was answered.

Takes: the ledger, and the records of data versions, splits, runs, packages and retrainings.
Gives: steps with what went in and came out, a version's ancestors and descendants, the way back from one prediction, a page.
Never: tells what no record holds, or shows a row of a person other than as the log holds it.
"""

from modelyard.oversight.lineage.steps import Kind, Step, Thing

__all__ = ["Kind", "Step", "Thing"]
