"""Performance before labels come: what the model's own probabilities, or its known errors, promise.

Takes: judged windows, what their quality and the labels so far said, and the question.
Gives: the expected metric by window with the range that chance leaves, and whether its assumption holds.
Never: says what was expected without saying whether the assumption holds, is unchecked or is broken.
"""

from modelyard.monitoring.expected.assumption import Assumption, Checked, contradictions
from modelyard.monitoring.expected.estimate import ExpectedPerformance, expected_findings
from modelyard.monitoring.expected.expect import Expecting, expect
from modelyard.monitoring.expected.promise import Promise, class_promise, error_promise

__all__ = [
    "Assumption",
    "Checked",
    "ExpectedPerformance",
    "Expecting",
    "Promise",
    "class_promise",
    "contradictions",
    "error_promise",
    "expect",
    "expected_findings",
]
