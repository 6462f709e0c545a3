"""Who is told of what is wrong with a model, how, and how often."""

import fnmatch
import importlib.metadata
import re
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from modelyard.problem.duration import Duration, seconds_of
from modelyard.problem.sections.strict import Address, Strict
from modelyard.problem.suggestion import did_you_mean

__all__ = ["ALERT_KINDS", "SINK_GROUP", "SINK_KINDS", "AlertPlan", "AlertRule", "SinkPlan"]

ALERT_KINDS = (
    "performance",
    "drift",
    "quality",
    "labels",
    "latency",
    "errors",
    "no_data",
    "audit",
    "retraining",
    "schedule",
    "other",
)
"""What an alert can be about; each has a rule and a page in the package's runbooks."""

SINK_KINDS = ("log", "file", "webhook", "slack", "smtp")
"""Sinks that ship with modelyard."""

SINK_GROUP = "modelyard.alert_sinks"
"""Entry points under which other packages register theirs."""

Level = Literal["info", "warning", "error"]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]

_MOST_SOURCES = 64
_SLACK = re.compile(r"^\$\{\w+\}$")


class AlertRule(Strict):
    """What becomes of findings of one kind."""

    severity: Level | Literal["off"] = Field(
        default="error", description="Findings of at least this severity open an alert; off: none does."
    )
    owner: str = Field(default="", description="Who answers for such alerts; the project's owner by default.")
    persistence: Annotated[int, Field(ge=1, le=100)] = Field(
        default=1, description="Windows in a row in which it must be seen; findings of drift have lasted two already."
    )
    cooldown: Duration = Field(
        default="1d",
        description="Time after a message in which nobody is told of the same again, unless it gets worse.",
    )
    escalate_after: Duration | None = Field(
        default="1d", description="Time without acknowledgement after which the next one is told; null: never."
    )

    @property
    def cooldown_s(self) -> float:
        """The cooldown in seconds."""
        return seconds_of(self.cooldown)

    @property
    def escalate_after_s(self) -> float | None:
        """The time until escalation in seconds; None for never."""
        return None if self.escalate_after is None else seconds_of(self.escalate_after)


class SinkPlan(Strict):
    """Where messages go. Passwords and keys are named here and kept in environment variables."""

    kind: str = Field(description="log, file, webhook, slack, smtp, or one that an installed package registers.")
    least: Level = Field(default="warning", description="Alerts of at least this severity go there.")
    only_escalations: bool = Field(default=False, description="Whether nothing but escalations goes there.")
    path: str | None = Field(default=None, description="file: JSON lines are appended to it, relative to the project.")
    url: Address | None = Field(
        default=None,
        description="webhook, slack: the address; ${NAME} stands for an environment variable. That of slack is a secret.",
    )
    secret: Variable | None = Field(
        default=None, description="webhook: environment variable with the key of the HMAC-SHA256 signature."
    )
    host: str | None = Field(default=None, description="smtp: the server.")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        default=None, description="smtp: 587 for starttls, 465 for tls, 25 for none."
    )
    tls: Literal["starttls", "tls", "none"] = Field(default="starttls", description="smtp: how the line is protected.")
    ca: str | None = Field(default=None, description="webhook, slack, smtp: PEM file of an authority of one's own.")
    user: str | None = Field(default=None, description="smtp: the login.")
    password: Variable | None = Field(default=None, description="smtp: environment variable with the password.")
    sender: str | None = Field(default=None, description="smtp: the address that mails come from.")
    to: tuple[str, ...] = Field(default=(), description="smtp: the addresses that mails go to.")
    timeout_s: Annotated[float, Field(gt=0, le=60)] = Field(
        default=10.0, description="Seconds after which an attempt has failed."
    )
    settings: dict[str, JsonValue] = Field(
        default_factory=dict, description="What a registered sink wants to know; never a secret."
    )

    @field_validator("kind")
    @classmethod
    def _is_known(cls, kind: str) -> str:
        if kind in SINK_KINDS:
            return kind
        registered = {entry.name for entry in importlib.metadata.entry_points(group=SINK_GROUP)}
        if kind not in registered:
            raise ValueError(f"there is no sink {kind!r}. {did_you_mean(kind, (*SINK_KINDS, *sorted(registered)))}")
        return kind

    @model_validator(mode="after")
    def _knows_where(self) -> Self:
        needed = {"file": ("path",), "webhook": ("url",), "slack": ("url",), "smtp": ("host", "sender", "to")}
        for name in needed.get(self.kind, ()):
            if not getattr(self, name):
                raise ValueError(f"a sink of the kind {self.kind} needs {name!r}")
        if self.kind == "slack" and not _SLACK.match(self.url or ""):
            raise ValueError("the address of slack is a secret: name an environment variable, such as ${SLACK_WEBHOOK}")
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password are given together")
        if self.password is not None and self.tls == "none":
            raise ValueError("a password is not sent over a line without TLS; choose starttls or tls")
        return self


def _defaults() -> dict[str, AlertRule]:
    """A rule for each kind: strong where a loss or a fault is certain, quiet where it is not."""
    return {
        "performance": AlertRule(),
        "drift": AlertRule(),
        "quality": AlertRule(),
        "labels": AlertRule(severity="warning", cooldown="7d", escalate_after=None),
        "latency": AlertRule(severity="warning"),
        "errors": AlertRule(severity="warning"),
        "no_data": AlertRule(severity="warning", persistence=1, escalate_after=None),
        "audit": AlertRule(cooldown="7d", escalate_after=None),
        "retraining": AlertRule(severity="info", escalate_after=None),
        "schedule": AlertRule(severity="warning", escalate_after=None),
        "other": AlertRule(),
    }


class AlertPlan(Strict):
    """Rules by kind, sources of columns, and sinks."""

    rules: dict[str, AlertRule] = Field(
        default_factory=_defaults,
        description=f"Rules by kind ({', '.join(ALERT_KINDS)}): {{severity: error, owner: …, persistence: 1, cooldown: 1d, "
        "escalate_after: 1d}. Those that are not named keep their defaults.",
    )
    sources: dict[Name, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Columns by the source that delivers them: {crm: [age, crm_*]}. What is not named comes from the main "
        "table, or from the table of events that it was made of. All columns of one source are one alert.",
    )
    sinks: dict[Name, SinkPlan] = Field(
        default_factory=lambda: {"log": SinkPlan(kind="log")},
        description="Where messages go, by name: {ops: {kind: webhook, url: 'https://…', secret: OPS_KEY}}. Every sink has kind "
        "(log, file, webhook, slack, smtp, or a registered one), least (warning), only_escalations (false), timeout_s (10) and "
        "ca; file: path; webhook: url, secret; slack: url; smtp: host, port, tls (starttls, tls, none), user, password, sender, "
        "to; others: settings. secret and password name environment variables.",
    )
    keep_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=7, description="Days for which a message waits for a sink that is down."
    )
    runbooks: str | None = Field(
        default=None, description="Address below which the package's runbooks can be read by others; a path by default."
    )

    def declared_source(self, column: str) -> str | None:
        """The source that delivers a column, the first whose names or patterns fit; None if none is declared."""
        for source, patterns in self.sources.items():
            if any(fnmatch.fnmatchcase(column, pattern) for pattern in patterns):
                return source
        return None

    @field_validator("rules", mode="before")
    @classmethod
    def _over_the_defaults(cls, rules: object) -> object:
        """What is named changes its rule; what is not stays as it is."""
        if not isinstance(rules, dict):
            return rules
        merged: dict[str, object] = dict(_defaults())
        for kind, given in rules.items():
            if kind not in ALERT_KINDS:
                raise ValueError(f"there is no kind of alert {kind!r}. {did_you_mean(str(kind), ALERT_KINDS)}")
            base = merged[kind]
            merged[kind] = (
                {**base.model_dump(), **given} if isinstance(given, dict) and isinstance(base, AlertRule) else given
            )
        return merged

    @field_validator("sources")
    @classmethod
    def _are_few(cls, sources: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if len(sources) > _MOST_SOURCES:
            raise ValueError(f"at most {_MOST_SOURCES} sources, got {len(sources)}")
        return sources
