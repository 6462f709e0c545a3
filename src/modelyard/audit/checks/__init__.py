"""The checks: small functions that look at an ``AuditContext`` and yield findings, one file per family.

Takes: an ``AuditContext``.
Gives: ``CHECKS``, the declared sequence in which the audit runs them.
Never: depends on the order of the sequence, or changes what it looks at.
"""

from collections.abc import Callable, Iterator

from modelyard.audit.checks.balance import class_balance, no_features, small_classes, small_sample
from modelyard.audit.checks.collinearity import collinear_features, copied_columns
from modelyard.audit.checks.dependence import (
    group_outside_split,
    target_drift,
    time_outside_split,
    undeclared_group,
)
from modelyard.audit.checks.duplicates import contradictory_labels, duplicate_rows
from modelyard.audit.checks.identifiers import high_cardinality, identifiers, repeated_ids
from modelyard.audit.checks.leakage import later_than_prediction, target_identity, target_proxy
from modelyard.audit.checks.missing import constant_columns, missing_tells, missing_values
from modelyard.audit.checks.outliers import outliers
from modelyard.audit.checks.types import mixed_types, placeholder_values, spelling_variants
from modelyard.audit.context import AuditContext
from modelyard.core import Finding

__all__ = ["CHECKS", "Check"]

Check = Callable[[AuditContext], Iterator[Finding]]
"""A check: its name is the function's, its findings have stable ids."""

CHECKS: tuple[Check, ...] = (
    target_identity,
    target_proxy,
    later_than_prediction,
    group_outside_split,
    undeclared_group,
    time_outside_split,
    target_drift,
    no_features,
    small_sample,
    small_classes,
    class_balance,
    duplicate_rows,
    contradictory_labels,
    repeated_ids,
    identifiers,
    missing_values,
    missing_tells,
    constant_columns,
    mixed_types,
    placeholder_values,
    spelling_variants,
    high_cardinality,
    copied_columns,
    collinear_features,
    outliers,
)
"""All checks, in the order in which findings of one severity are shown."""
