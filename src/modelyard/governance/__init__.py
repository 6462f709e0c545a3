"""Governance: who may do what, what was decided, and what is in production.

Takes: verified packages, actors, the project's policy.
Gives: a registry of immutable versions with stages, gates by risk tier, approvals bound to digests, a deployment log, rollouts, tokens and roles.
Never: trusts the caller's word, or changes a row.
"""

from modelyard.governance.agreement import verify_ledger
from modelyard.governance.alert_log import Alert, AlertDesk, AlertPhase
from modelyard.governance.gating import GateAnswer, GateDecision
from modelyard.governance.identity import current_actor
from modelyard.governance.records import Approval, Deployment, ModelVersion
from modelyard.governance.registry import Registry
from modelyard.governance.roles import Role, require_permission
from modelyard.governance.rollout_log import Rollout, RolloutChange, RolloutView
from modelyard.governance.rollouts import Rollouts
from modelyard.governance.stages import Stage
from modelyard.governance.staging import StagingArea
from modelyard.governance.standing import BrokenGlass, Staging, Validation, glass_findings
from modelyard.governance.steering import Steering
from modelyard.governance.tokens import Token, Tokens, create_token, revoke_tokens, valid_tokens

__all__ = [
    "Alert",
    "AlertDesk",
    "AlertPhase",
    "Approval",
    "BrokenGlass",
    "Deployment",
    "GateAnswer",
    "GateDecision",
    "ModelVersion",
    "Registry",
    "Role",
    "Rollout",
    "RolloutChange",
    "RolloutView",
    "Rollouts",
    "Stage",
    "Staging",
    "StagingArea",
    "Steering",
    "Token",
    "Tokens",
    "Validation",
    "create_token",
    "current_actor",
    "glass_findings",
    "require_permission",
    "revoke_tokens",
    "valid_tokens",
    "verify_ledger",
]
