"""Gates: what a version must show before people may approve it, and before requests come to it.

Takes: a verified package, the project's policy, what people and alerts say of the version.
Gives: a decision with every gate's question and answer, which the ledger keeps whether it is yes or no.
Never: asks a person, changes a version, or says yes to what cannot be told.
"""

from modelyard.governance.gating.evidence import gather
from modelyard.governance.gating.judging import APPROVALS, Standing, judge
from modelyard.governance.gating.keeping import REFUSED, enter_decision, refusal
from modelyard.governance.gating.records import Evidence, GateAnswer, GateDecision

__all__ = [
    "APPROVALS",
    "REFUSED",
    "Evidence",
    "GateAnswer",
    "GateDecision",
    "Standing",
    "enter_decision",
    "gather",
    "judge",
    "refusal",
]
