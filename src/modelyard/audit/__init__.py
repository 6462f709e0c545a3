"""A critical look at the training part.

Takes: the training part of a split, the problem, the columns' roles.
Gives: an ``AuditReport``: findings with evidence, and facts about every column; and its page.
Never: sees the test part, changes a row, or decides in silence.
"""

from modelyard.audit.audit import audit, audit_basis
from modelyard.audit.checks import CHECKS
from modelyard.audit.decisions import acknowledge_finding, require_decisions, with_acknowledgements
from modelyard.audit.page import audit_page, load_audit, save_audit
from modelyard.audit.records import (
    Acknowledgement,
    AuditReport,
    ColumnFacts,
    LabelSuspect,
    LevelShare,
    SkippedCheck,
)
from modelyard.audit.registry import Check, Need, Threshold
from modelyard.audit.suspects.review import label_review, outlier_review

__all__ = [
    "CHECKS",
    "Acknowledgement",
    "AuditReport",
    "Check",
    "ColumnFacts",
    "LabelSuspect",
    "LevelShare",
    "Need",
    "SkippedCheck",
    "Threshold",
    "acknowledge_finding",
    "audit",
    "audit_basis",
    "audit_page",
    "label_review",
    "load_audit",
    "outlier_review",
    "require_decisions",
    "save_audit",
    "with_acknowledgements",
]
