"""Who must say yes before a version goes into production, and what it must show first: policy as data, by what is at stake."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from modelyard.core import Record, digest_json
from modelyard.problem.sections.strict import Strict

__all__ = ["TIERS", "Gates", "Policy", "TierRules"]

Tier = Literal["low", "medium", "high"]
ByTier = Literal["tier"]
_DAYS = Annotated[int, Field(ge=1, le=3650)]


@dataclasses.dataclass(frozen=True)
class TierRules(Record):
    """What is asked of a version, and of those who release it.

    Parameters
    ----------
    tests
        Whether every check of the package must pass: bytes, golden rows, signature, card.
    opened_test
        Whether figures must come from the sealed test part, on which no choice was made.
    card
        Share of the card's fields for people that must be filled, 0 to 1.
    group_gap
        The largest difference in true or false positive rates between groups of a protected column; None for any.
    validation
        Whether a validator, who built nothing of it, must have said that it holds.
    open_alerts
        How many alerts on this very version may be open; None for any number.
    staging
        Whether it must have answered on an address of its own before requests come to it.
    approvals
        How many people must have approved.
    approval_days, review_days
        How long an approval counts, and how long a review (a validation or an approval) keeps a model from being due;
        None for ever.
    break_glass_days
        Days in which somebody else must review a promotion that went past the gates.
    """

    tests: bool
    opened_test: bool
    card: float
    group_gap: float | None
    validation: bool
    open_alerts: int | None
    staging: bool
    approvals: int
    approval_days: int | None
    review_days: int | None
    break_glass_days: int


TIERS: Mapping[str, TierRules] = {
    "low": TierRules(True, False, 0.0, None, False, None, False, 1, 365, 365, 7),
    "medium": TierRules(True, True, 0.6, None, False, 0, False, 1, 180, 365, 3),
    "high": TierRules(True, True, 0.9, 0.1, True, 0, True, 2, 90, 180, 1),
}
"""What each tier asks, unless the project file says something else."""

_SHOWN = ("tests", "opened_test", "card", "group_gap", "validation", "open_alerts")
"""Rules about what a version shows; the others are about who says yes, and when."""


class Gates(Strict):
    """What a version must show; ``tier`` stands for what its tier asks."""

    tests: bool | ByTier = Field(
        default="tier", description="Whether every check of the package must pass (always, by tier)."
    )
    opened_test: bool | ByTier = Field(
        default="tier", description="Whether figures must come from the sealed test part (from tier medium on)."
    )
    card: Annotated[float, Field(ge=0, le=1)] | ByTier = Field(
        default="tier", description="Share of the card's fields for people that must be filled (0, 0.6, 0.9)."
    )
    group_gap: Annotated[float, Field(gt=0, le=1)] | ByTier | None = Field(
        default="tier",
        description="Largest difference in true or false positive rates between groups of a protected column; null for any "
        "(any, any, 0.1).",
    )
    validation: bool | ByTier = Field(
        default="tier", description="Whether a validator must have said that it holds (in tier high)."
    )
    open_alerts: Annotated[int, Field(ge=0)] | ByTier | None = Field(
        default="tier", description="Open alerts that the version may have; null for any number (any, 0, 0)."
    )
    staging: bool | ByTier = Field(
        default="tier",
        description="Whether it must have answered in staging, on an address of its own, before requests come to it (in tier "
        "high).",
    )
    approval_days: _DAYS | ByTier | None = Field(
        default="tier", description="Days for which an approval counts; null for ever (365, 180, 90)."
    )
    review_days: _DAYS | ByTier | None = Field(
        default="tier", description="Days after which the last review is too old; null for never (365, 365, 180)."
    )
    break_glass_days: _DAYS | ByTier = Field(
        default="tier", description="Days in which a break-glass promotion must be reviewed (7, 3, 1)."
    )


class Policy(Strict):
    """Who may put a model into production, after what, and in which steps."""

    tier: Tier = Field(
        default="low", description="What is at stake: low, medium or high. It decides which gates a version must pass."
    )
    rationale: str = Field(default="", description="Why this tier: exposure and purpose; needed above low.")
    approvals: Annotated[int, Field(ge=0, le=10)] | None = Field(
        default=None, description="Approvals needed before production; by default the tier's (1, 1, 2)."
    )
    two_person: bool = Field(
        default=True,
        description="The approver must not be the author or the requester. Only a project of one person, in tier low, may do "
        "without.",
    )
    gates: Gates = Field(default=Gates(), description="What a version must show, where it is not what its tier asks.")
    canary_steps: tuple[Annotated[int, Field(ge=1, le=100)], ...] = Field(
        default=(10, 50, 100), description="Shares of traffic, in percent, through which a new version goes."
    )

    @property
    def rules(self) -> TierRules:
        """What holds: the tier's rules, and in their place what the file says."""
        stated: dict[str, Any] = {name: value for name, value in self.gates if value != "tier"}
        if self.approvals is not None:
            stated["approvals"] = self.approvals
        return dataclasses.replace(TIERS[self.tier], **stated)

    @property
    def digest(self) -> str:
        """Names the tier and what it asks a version to show.

        An approval is bound to it: who approved saw what these gates said. How many must approve, who may and for how
        long is not part of it, since that is counted anew each time.
        """
        rules = self.rules.to_dict()
        return digest_json({"tier": self.tier, **{name: rules[name] for name in _SHOWN}})

    @property
    def looser(self) -> tuple[str, ...]:
        """Rules by which the file asks for less than its tier; every decision names them."""
        wanted, held = TIERS[self.tier], self.rules
        return tuple(name for name in wanted.to_dict() if _asks_less(name, getattr(held, name), getattr(wanted, name)))

    @model_validator(mode="after")
    def _fits_the_tier(self) -> Self:
        if self.tier != "low" and not self.rationale.strip():
            raise ValueError(
                f"rationale: say why the tier is {self.tier}: how exposed the model is, and what it decides"
            )
        if self.tier != "low" and not self.two_person:
            raise ValueError(f"two_person: only tier low may do without a second person, and this one is {self.tier}")
        return self


def _asks_less(name: str, held: float | None, wanted: float | None) -> bool:
    """Whether ``held`` asks for less than ``wanted``; more is asked by a smaller limit, or by a larger demand."""
    if held == wanted:
        return False
    if held is None or wanted is None:
        return held is None
    return (
        held < wanted
        if name in ("tests", "opened_test", "card", "validation", "staging", "approvals")
        else held > wanted
    )
