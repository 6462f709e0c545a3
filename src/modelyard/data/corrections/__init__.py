"""Corrections: what people decided about single rows, recorded, applied after the split, and undone if wanted.

Takes: a reviewed sheet of the audit, and a split.
Gives: a recorded correction, and a split whose readable rows follow all corrections in force.
Never: touches a sealed row, or forgets who decided what and why.
"""

from modelyard.data.corrections.book import corrections_in_force, decided_rows, record_correction, undo_correction
from modelyard.data.corrections.records import Correction, CorrectionLine, Verdict
from modelyard.data.corrections.splits import corrected_split

__all__ = [
    "Correction",
    "CorrectionLine",
    "Verdict",
    "corrected_split",
    "corrections_in_force",
    "decided_rows",
    "record_correction",
    "undo_correction",
]
