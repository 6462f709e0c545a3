"""What was said of a version, as the ledger tells it: validations, trials in staging, and promotions past the gates.

Takes: a connection, and a version.
Gives: validations and trials bound to its bytes, promotions past the gates and their reviews, findings about those that are open.
Never: writes.
"""

from modelyard.governance.standing.alerts import alerts_since, first_request
from modelyard.governance.standing.break_glass import (
    BROKEN,
    REVIEWED,
    BrokenGlass,
    glass_findings,
    read_broken_glass,
)
from modelyard.governance.standing.stagings import STAGED, Staging, read_stagings
from modelyard.governance.standing.told import told
from modelyard.governance.standing.validations import VALIDATED, Validation, read_validations

__all__ = [
    "BROKEN",
    "REVIEWED",
    "STAGED",
    "VALIDATED",
    "BrokenGlass",
    "Staging",
    "Validation",
    "alerts_since",
    "first_request",
    "glass_findings",
    "read_broken_glass",
    "read_stagings",
    "read_validations",
    "told",
]
