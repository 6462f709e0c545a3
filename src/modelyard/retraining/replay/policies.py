"""When to retrain, as data: the project file's triggers under a name."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError

from modelyard.core import ConfigError, Record
from modelyard.problem import Problem, did_you_mean
from modelyard.problem.duration import Duration, seconds_of
from modelyard.problem.sections.retraining import Retraining, SlidingWindow, Triggers, WeightedWindow
from modelyard.problem.sections.strict import Strict
from modelyard.retraining.windows.records import WindowPolicy, span_words

__all__ = ["ALL_ROWS", "BUILT_IN", "NEVER", "Policy", "policies_of"]

ALL_ROWS = WindowPolicy()
"""The window that keeps everything."""


@dataclasses.dataclass(frozen=True)
class Policy(Record):
    """When to retrain. Without any trigger: never.

    Parameters
    ----------
    name
        For people.
    schedule, performance, drift, new_labels
        As in the section ``retraining.triggers`` of the project file, whose rule decides; None for a trigger that is not there.
    cooldown
        As ``retraining.cooldown``; None for no pause.
    window
        On which rows; None tests windows at each retraining.
    """

    name: str
    schedule: str | None = None
    performance: float | None = None
    drift: bool = False
    new_labels: int | None = None
    cooldown: str | None = None
    window: WindowPolicy | None = ALL_ROWS

    @property
    def plan(self) -> Retraining:
        """The same as a section of the project file."""
        triggers = Triggers(
            schedule=self.schedule, performance=self.performance, drift=self.drift, new_labels=self.new_labels
        )
        return Retraining(triggers=triggers, cooldown=self.cooldown or "1s")

    @property
    def watches(self) -> bool:
        """True if it needs monitoring."""
        return self.drift or self.performance is not None

    @property
    def retrains(self) -> bool:
        """True if anything could be pulled."""
        return self.plan.triggers.any

    @property
    def words(self) -> str:
        """For people: every 30 days; or: when the metric lost 5 %, or drift can be cured; at most every 7 days."""
        reasons = [
            f"every {span_words(seconds_of(self.schedule))}" if self.schedule is not None else "",
            f"when the metric lost {self.performance:.0%}" if self.performance is not None else "",
            "when retraining cures the cause of a drift" if self.drift else "",
            f"after {self.new_labels:,} new labels" if self.new_labels is not None else "",
        ]
        said = ", or ".join(reason for reason in reasons if reason) or "never"
        rest = f"; not within {span_words(seconds_of(self.cooldown))} of the last" if self.cooldown else ""
        if self.window is None:
            return f"{said}{rest}; the window tested each time"
        return f"{said}{rest}; {self.window.words}" if self.window.rows or self.window.span_s else f"{said}{rest}"


NEVER = Policy("never")
"""What every other policy is held against."""

BUILT_IN: Mapping[str, Policy] = {
    policy.name: policy
    for policy in (
        NEVER,
        Policy("weekly", schedule="7d"),
        Policy("monthly", schedule="30d"),
        Policy("drift", drift=True, cooldown="7d"),
        Policy("performance", performance=0.05, cooldown="7d"),
        Policy("default", schedule="90d", performance=0.05, drift=True, cooldown="7d"),
    )
}
"""Policies by name; ``default`` retrains on a loss, on a drift whose cause retraining cures, and after a quarter at the latest: a model
whose own figure was poor from the beginning never loses."""

_BY_ITSELF = ("never", "monthly", "drift", "performance", "default")


class _PolicyFile(Strict):
    """One policy as a file says it."""

    name: str = ""
    schedule: Duration | None = None
    performance: Annotated[float, Field(gt=0, lt=1)] | None = None
    drift: bool = False
    new_labels: Annotated[int, Field(ge=1)] | None = None
    cooldown: Duration | None = None
    window: Literal["auto", "expanding"] | SlidingWindow | WeightedWindow | None = None

    def policy(self, stem: str, window: WindowPolicy) -> Policy:
        """The record; named after the file if it names nothing."""
        return Policy(
            self.name or stem,
            self.schedule,
            self.performance,
            self.drift,
            self.new_labels,
            self.cooldown,
            WindowPolicy.asked(self.window) if self.window is not None else window,
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """The file, checked.

        Raises
        ------
        ConfigError
            If it cannot be read, or holds anything else than a policy.
        """
        import yaml

        try:
            content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
            return cls.model_validate(content)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(
                "the policy cannot be read", where=str(path), got=str(error), cure="Write it as YAML: schedule: 30d"
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "the file"
            raise ConfigError(
                "this is no policy of retraining",
                where=f"{path}, {key}",
                got=first["msg"],
                cure="It may hold: name, schedule, performance, drift, new_labels, cooldown, window",
            ) from error


def policies_of(asked: tuple[str, ...], problem: Problem) -> tuple[Policy, ...]:
    """The policies to replay, never retraining first: names of built-in ones, or files; all but weekly if none is asked for.

    Their window is the project file's; where that is left to a backtest, all rows, unless the policy itself says ``auto``.

    Raises
    ------
    ConfigError
        If a name is unknown, a file is no policy, or two have one name.
    """
    window = WindowPolicy.declared(problem) or ALL_ROWS
    found = [NEVER]
    for one in asked or _BY_ITSELF:
        policy = _policy(one, window)
        if policy.name != NEVER.name:
            found.append(policy)
    names = [policy.name for policy in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(
            "two policies have one name", where="--policy", got=twice, cure="Give each its own name: in its file"
        )
    return tuple(found)


def _policy(asked: str, window: WindowPolicy) -> Policy:
    if asked in BUILT_IN:
        return dataclasses.replace(BUILT_IN[asked], window=window)
    path = Path(asked)
    if path.suffix not in (".yaml", ".yml"):
        raise ConfigError("there is no such policy", where="--policy", got=asked, cure=did_you_mean(asked, BUILT_IN))
    return _PolicyFile.read(path).policy(path.stem, window)
