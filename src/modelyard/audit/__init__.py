"""A critical look at the training part.

Takes: the training part of a split, the problem, the columns' roles.
Gives: an ``AuditReport``: findings with evidence, and facts about every column; and its page.
Never: sees the test part, changes a row, or decides in silence.
"""

from modelyard.audit.audit import audit
from modelyard.audit.decisions import require_decisions
from modelyard.audit.page import audit_page
from modelyard.audit.records import AuditReport, ColumnFacts, LevelShare

__all__ = ["AuditReport", "ColumnFacts", "LevelShare", "audit", "audit_page", "require_decisions"]
