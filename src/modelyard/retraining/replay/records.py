"""What a replay gives: step by step, policy by policy, and which policy pays."""

import dataclasses
import datetime as dt

from modelyard.core import Record
from modelyard.retraining.replay.policies import Policy

__all__ = ["Gain", "PolicyResult", "Replay", "Step"]


@dataclasses.dataclass(frozen=True)
class Step(Record):
    """One period of one policy.

    Parameters
    ----------
    start, end
        The period; decisions are made at its end.
    rows
        Rows that were scored in it.
    champion
        Which model scored them: 1 is the first.
    value
        The primary metric on them; None if it is not defined (one class only).
    pulled
        Triggers that were pulled at the end, each with its reason.
    held
        Why nothing was done all the same; ``""`` if nothing held it.
    retrained, promoted
        Whether a challenger was asked for, and whether it took over.
    rows_fitted
        Rows that all fits of this retraining learnt from.
    said
        The words of the last gate.
    cause
        What monitoring named as the cause; ``""`` if it did not look.
    """

    start: dt.datetime
    end: dt.datetime
    rows: int
    champion: int
    value: float | None
    pulled: tuple[str, ...] = ()
    held: str = ""
    retrained: bool = False
    promoted: bool = False
    rows_fitted: int = 0
    said: str = ""
    cause: str = ""


@dataclasses.dataclass(frozen=True)
class Gain(Record):
    """The improvement over never retraining, on the same rows, with its 95 % interval over periods."""

    value: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """True if the whole interval is above 0."""
        return self.low > 0


@dataclasses.dataclass(frozen=True)
class PolicyResult(Record):
    """What one policy would have earned.

    Parameters
    ----------
    policy
        The policy.
    value, low, high
        The primary metric over the whole replay and its 95 % interval; None if it is not defined.
    gain
        Over never; None for never itself.
    money, money_gain
        Value of all decisions in the project's currency, and that over never; None without costs.
    retrainings, promotions
        How many challengers were asked for, and how many took over.
    rows_fitted
        Over all retrainings.
    seconds
        That the replay of this policy took.
    steps
        By period.
    """

    policy: Policy
    value: float | None
    low: float | None
    high: float | None
    gain: Gain | None
    money: float | None
    money_gain: Gain | None
    retrainings: int
    promotions: int
    rows_fitted: int
    seconds: float
    steps: tuple[Step, ...]

    @property
    def gain_per_retraining(self) -> float | None:
        """Metric gained over never, by retraining; None without one."""
        return self.gain.value / self.retrainings if self.gain is not None and self.retrainings else None


@dataclasses.dataclass(frozen=True)
class Replay(Record):
    """Months of history under each policy.

    Parameters
    ----------
    id
        Digest of the table, the problem, the configuration and the policies; names the folder.
    model, metric, currency
        What was replayed, and in what it is counted; no currency without costs.
    family, configuration
        What every model of the replay is, and where that comes from.
    rows_first, rows
        Rows that the first champion had, and rows that were replayed.
    since, until, period_s, label_delay_s
        The time replayed, the length of a period, and how long a label takes to come.
    results
        By policy, never first.
    recommended, recommendation
        The policy that pays, and why in one sentence.
    """

    id: str
    model: str
    metric: str
    currency: str
    family: str
    configuration: str
    rows_first: int
    rows: int
    since: dt.datetime
    until: dt.datetime
    period_s: float
    label_delay_s: float
    results: tuple[PolicyResult, ...]
    recommended: str
    recommendation: str
