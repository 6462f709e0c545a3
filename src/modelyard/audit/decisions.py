"""The audit's gate: errors want a decision before anybody trains, and decisions have a reason and an end."""

import dataclasses
import datetime as dt

from modelyard.audit.checks import CHECKS
from modelyard.audit.records import Acknowledgement, AuditReport
from modelyard.core import Actor, ConfigError, GateRefusedError, Severity, system_clock
from modelyard.problem import did_you_mean
from modelyard.store import Ledger

__all__ = ["acknowledge_finding", "require_decisions", "with_acknowledgements"]

_ACTION = "audit.acknowledged"
_DAYS = 90
"""How long a decision holds if nobody says: a quarter, after which the data are others."""

_MOST_NAMED = 3


def require_decisions(report: AuditReport, accepted: str | None) -> None:
    """Let a report without errors pass, and one with errors only if somebody gave a reason to go on.

    Raises
    ------
    GateRefusedError
        If there are errors that nobody acknowledged, and ``accepted`` is empty; the sentence names them.
    """
    errors = [finding for finding in report.open_findings if finding.severity is Severity.ERROR]
    if not errors or (accepted and accepted.strip()):
        return
    named = " ".join(finding.message for finding in errors[:_MOST_NAMED]).removesuffix(".")
    more = f". And {len(errors) - _MOST_NAMED} more" if len(errors) > _MOST_NAMED else ""
    raise GateRefusedError(
        "the audit found errors that nobody has decided on",
        where="audit",
        got=f"{len(errors)}: {named}{more}",
        cure='Exclude the columns under data.exclude with a reason, or train with --accept "the reason why not"',
    )


def acknowledge_finding(ledger: Ledger, actor: Actor, finding: str, reason: str, until: dt.date | None) -> None:
    """Write to the ledger that a finding may stay until a day. A later decision on the same finding replaces it.

    Parameters
    ----------
    finding
        Id of the finding, or id and subject: ``outliers:age``.
    until
        The last day on which the decision holds; 90 days from now by default.

    Raises
    ------
    ConfigError
        If no check gives such a finding, the reason is empty, or the day is over.
    """
    name = finding.partition(":")[0]
    known = sorted(one for check in CHECKS for one in check.findings)
    if name not in known:
        raise ConfigError(
            "no check gives such a finding", where="--acknowledge", got=repr(name), cure=did_you_mean(name, known)
        )
    if not reason.strip():
        raise ConfigError(
            "an acknowledgement needs a reason", where="--reason", cure='Give one: --reason "real customers, checked"'
        )
    until = until or _today() + dt.timedelta(days=_DAYS)
    if until < _today():
        raise ConfigError("the day is over", where="--until", got=until.isoformat(), cure="Give a day to come")
    ledger.append(actor, _ACTION, finding, {"reason": reason, "until": until.isoformat()})


def with_acknowledgements(report: AuditReport, ledger: Ledger) -> AuditReport:
    """The report with the decisions that concern it and are in force today."""
    latest = {row.subject: row for row in ledger.rows(action=_ACTION)}
    decisions = []
    for subject, row in latest.items():
        name, _, column = subject.partition(":")
        until = dt.date.fromisoformat(row.details["until"])
        decisions.append(Acknowledgement(name, column, row.details["reason"], until, row.actor, row.at))
    held = [one for one in decisions if one.until >= _today() and any(map(one.covers, report.findings))]
    return dataclasses.replace(report, acknowledgements=tuple(held))


def _today() -> dt.date:
    return system_clock().astimezone(dt.UTC).date()
