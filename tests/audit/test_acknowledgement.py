import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.audit import AuditReport, acknowledge_finding, require_decisions, with_acknowledgements
from modelyard.core import Actor, ConfigError, Finding, GateRefusedError, Severity
from modelyard.core.actor import ActorSource
from modelyard.store import Ledger

ADA = Actor("ada", ActorSource.OS_USER)
TODAY = dt.datetime.now(dt.UTC).date()
DAY = dt.timedelta(days=1)


def report() -> AuditReport:
    """Two errors of one check, and a warning."""
    kinds = (("target-proxy", "a", Severity.ERROR), ("target-proxy", "b", Severity.ERROR))
    findings = [Finding(name, grade, subject, "Seen.", "Bad.", "Act.") for name, subject, grade in kinds]
    return AuditReport(10, 3, (*findings, Finding("outliers", Severity.WARNING, "c", "Far.", "Bad.", "Look.")), ())


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty ledger."""
    return Ledger.open(tmp_path / "ledger.db")


def test_an_acknowledged_error_no_longer_blocks(ledger: Ledger) -> None:
    """One column's error is settled, the other's still refuses; with both settled the gate lets pass."""
    acknowledge_finding(ledger, ADA, "target-proxy:a", "known at noon", TODAY + DAY)
    seen = with_acknowledgements(report(), ledger)

    assert [finding.subject for finding in seen.open_findings] == ["b", "c"]
    assert len(seen.findings) == 3
    with pytest.raises(GateRefusedError, match="errors that nobody has decided on"):
        require_decisions(seen, None)
    acknowledge_finding(ledger, ADA, "target-proxy", "both are known", TODAY)
    require_decisions(with_acknowledgements(report(), ledger), None)


def test_a_finding_comes_back_when_the_day_has_passed(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision holds on its last day and not on the next."""
    acknowledge_finding(ledger, ADA, "outliers:c", "real customers", TODAY)

    assert with_acknowledgements(report(), ledger).acknowledgements[0].reason == "real customers"
    tomorrow = dt.datetime.now(dt.UTC) + DAY
    monkeypatch.setattr("modelyard.audit.decisions.system_clock", lambda: tomorrow)
    assert with_acknowledgements(report(), ledger).acknowledgements == ()


def test_a_later_decision_replaces_an_earlier_one(ledger: Ledger) -> None:
    """The last word on a finding counts; the ledger keeps both."""
    acknowledge_finding(ledger, ADA, "outliers:c", "first", TODAY + DAY)
    acknowledge_finding(ledger, ADA, "outliers:c", "second", TODAY + 2 * DAY)

    (held,) = with_acknowledgements(report(), ledger).acknowledgements
    assert (held.reason, held.until, held.actor) == ("second", TODAY + 2 * DAY, "ada")
    assert len(ledger.rows(action="audit.acknowledged")) == 2


@pytest.mark.parametrize(
    ("finding", "reason", "until", "sentence"),
    [
        ("outlier:c", "real", TODAY, "no check gives such a finding"),
        ("outliers:c", " ", TODAY, "needs a reason"),
        ("outliers:c", "real", TODAY - DAY, "the day is over"),
    ],
)
def test_a_decision_is_complete(ledger: Ledger, finding: str, reason: str, until: dt.date, sentence: str) -> None:
    """A finding that exists, a reason, and a day to come; else nothing is written."""
    with pytest.raises(ConfigError, match=sentence):
        acknowledge_finding(ledger, ADA, finding, reason, until)

    assert ledger.rows() == ()


def test_the_command_is_a_gate(run_audit: Callable[..., tuple[int, str]]) -> None:
    """``--fail-on warning`` ends with 3; after acknowledging each warning with 0; the view shows the decision."""
    assert run_audit()[0] == 0
    code, text = run_audit("--fail-on", "warning")
    assert code == 3
    assert "constant-column" not in text
    assert "not run: impossible-values: needs data.ranges in the project file" in text
    until = (TODAY + DAY).isoformat()
    words = ("--acknowledge", "constant-column:still", "--reason", "comes next year", "--until", until)
    code, text = run_audit("--fail-on", "warning", *words)
    assert code == 0
    assert f"acknowledged until {until} by " in text
    assert "constant-column still (comes next year)" in text
