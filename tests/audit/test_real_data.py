from collections.abc import Callable

import pytest

from modelyard.audit import AuditReport
from modelyard.core import Finding, Severity

Audit = Callable[..., AuditReport]
Named = Callable[..., list[Finding]]


def test_duration_is_a_suspected_leak(named: Named, audit_real: Audit) -> None:
    """How long the call took is known after it; it is the only suspect, whether rows are split by time or not."""
    for report in (
        audit_real("bank_additional", "y", time="row_order"),
        audit_real("bank_additional", "y", exclude=("row_order",)),
    ):
        assert [f.subject for f in named(report, "target-proxy")] == ["duration"]
        assert named(report, "target-proxy")[0].evidence["score"] > 0.8


def test_the_bank_target_drifts(named: Named, audit_real: Audit) -> None:
    """By time, the share of yes runs from 2 to 13 percent within the training part."""
    (drift,) = named(audit_real("bank_additional", "y", time="row_order"), "target-drift")

    assert drift.severity is Severity.WARNING
    assert min(drift.evidence["means"]) < 0.03
    assert max(drift.evidence["means"]) > 0.12


def test_999_days_stand_for_never(named: Named, audit_real: Audit) -> None:
    """The number 999 lies far from all other values of pdays, and 'unknown' is no education."""
    report = audit_real("bank_additional", "y", exclude=("row_order",))

    assert [f.evidence["value"] for f in named(report, "placeholder-value", "pdays")] == ["999"]
    assert [f.evidence["value"] for f in named(report, "placeholder-value", "education")] == ["unknown"]


def test_parts_of_the_count_are_leaks(named: Named, audit_real: Audit) -> None:
    """Casual and registered riders add up to the count; the hour is an honest feature."""
    report = audit_real("bike_sharing_hourly", "cnt", time="timestamp")

    assert {f.subject for f in named(report, "target-identity")} == {"casual", "registered"}
    assert [(f.subject, f.severity) for f in named(report, "target-proxy")] == [("registered", Severity.ERROR)]


def test_without_the_parts_nothing_is_suspected(named: Named, audit_real: Audit) -> None:
    """The hour predicts best then, and is not called a leak."""
    report = audit_real("bike_sharing_hourly", "cnt", time="timestamp", exclude=("casual", "registered"))

    assert not [f for f in report.findings if f.severity is Severity.ERROR]
    assert not named(report, "target-proxy")
    assert {f.id for f in report.findings} >= {"target-drift", "collinear-features"}


def test_patients_are_an_undeclared_group(named: Named, audit_real: Audit) -> None:
    """A random split would put rows of one patient on both sides; the motor score is a suspected leak."""
    report = audit_real("parkinsons_telemonitoring", "total_UPDRS")

    (group,) = named(report, "undeclared-group")
    assert group.subject == "subject"
    assert group.evidence["mixed"] - group.evidence["apart"] > 0.5
    assert group.evidence["fixed_within"] == ["age", "sex"]
    assert [f.subject for f in named(report, "target-proxy")] == ["motor_UPDRS"]


def test_a_declared_group_is_held_against_the_split(named: Named, audit_real: Audit) -> None:
    """With the group declared and kept together all is well; split at random, it is said."""
    kept = audit_real("parkinsons_telemonitoring", "total_UPDRS", group="subject")
    torn = audit_real("parkinsons_telemonitoring", "total_UPDRS", group="subject", strategy="random")

    assert not named(kept, "undeclared-group")
    assert not named(kept, "group-outside-split")
    assert [f.subject for f in named(torn, "group-outside-split")] == ["subject"]
    assert [f.subject for f in named(kept, "target-proxy")] == ["motor_UPDRS"]


def test_customer_numbers_are_identifiers(named: Named, audit_real: Audit) -> None:
    """The customer's number names rows; nothing in the table is suspected."""
    report = audit_real("telco_churn", "Churn")

    (finding,) = named(report, "identifier")
    assert (finding.subject, finding.evidence["used"]) == ("customerID", False)
    assert not [f for f in report.findings if f.severity is Severity.ERROR]
    assert not named(report, "target-proxy")


def test_repeated_messages_are_found(named: Named, audit_real: Audit) -> None:
    """One message in twenty came before, and the text is something to learn from."""
    report = audit_real("sms_spam", "label")

    (finding,) = named(report, "duplicate-rows")
    assert finding.severity is Severity.WARNING
    assert 0.04 < finding.evidence["share"] < 0.08
    assert not [finding for finding in report.findings if finding.severity is Severity.ERROR]


@pytest.mark.parametrize(
    ("name", "target", "options"),
    [
        ("adult_census", "income", {"exclude": ("uci_split",)}),
        ("electricity_elec2", "price_up", {"time": "row_order"}),
    ],
)
def test_honest_tables_get_no_error(
    named: Named, audit_real: Audit, name: str, target: str, options: dict[str, object]
) -> None:
    """Census and prices hold strong features, but no leak and no group."""
    report = audit_real(name, target, **options)

    assert not [f for f in report.findings if f.severity is Severity.ERROR]
    assert not named(report, "undeclared-group")
