"""As whom a model answers: one word in every line of the prediction log."""

__all__ = ["BASELINE", "CANARY", "ROLES", "SHADOW", "STABLE"]

STABLE = "stable"
"""Whoever answers when nothing is rolled out, and the champion beside a canary. Lines without a role have this one."""

BASELINE = "baseline"
"""The champion on a slice as large as the canary's, to compare with."""

CANARY = "canary"
"""The version that is rolled out."""

SHADOW = "shadow"
"""The version that is rolled out, as long as nobody gets its answers."""

ROLES = (STABLE, BASELINE, CANARY, SHADOW)
