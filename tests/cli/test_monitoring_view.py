"""The root-cause card of the terminal."""

import datetime as dt
import io
from pathlib import Path

from rich.console import Console

from modelyard.cli.show.blocks import findings_view
from modelyard.cli.show.operations import show_monitoring
from modelyard.core import Finding, Severity
from modelyard.monitoring import Action, Cause, Diagnosis, MonitorReport, Verdict
from modelyard.monitoring.causes import Evidence, ExpectedGain, LabelRequest, Segment

DIAGNOSIS = Diagnosis(
    verdict=Cause.CONCEPT,
    confidence=0.98,
    evidence=(Evidence("loss", 0.7, 0.76, found=True, says="Performance fell to 0.7."),),
    segments=(Segment(("plan is gold",), 120, 0.1, "loss", 0.9, 0.1, 0.001),),
    action=Action.RETRAIN,
    expected_gain=ExpectedGain(Action.RETRAIN, "roc_auc", 0.7, 0.8, 0.1, 0.05, 0.15, 800, 1200),
    labels=LabelRequest(300, "300 labels would show a loss.", ("a",)),
)


def _shown(diagnosis: Diagnosis, page: Path) -> str:
    """The view of a report with this diagnosis, as text."""
    moment = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    report = MonitorReport(
        model="churn",
        versions=("1",),
        rows=10,
        since=moment,
        until=moment,
        windows=(),
        trails=(),
        quality=(),
        metric="roc_auc",
        reference_score=0.8,
        labels=None,
        performance=(),
        diagnosis=diagnosis,
        shifts=(),
        findings=(),
        verdict=Verdict.WATCH,
    )
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(show_monitoring(report, page))
    return console.export_text()


def test_the_card_has_cause_action_gain_place_and_every_test(tmp_path: Path) -> None:
    """What was found, what to do, what that gains, where it sits, the tests with their numbers, and the file to fill in."""
    (tmp_path / "rows_to_label.csv").touch()
    text = _shown(DIAGNOSIS, tmp_path / "monitoring.html")

    assert "concept drift, 98% sure" in text
    assert "Retraining is expected to gain 0.1000 ROC AUC (0.0500 to 0.1500)" in text
    assert "plan is gold (120 rows, 10\u202f%)" in text
    assert "0.7000     0.7600  Performance fell to 0.7." in text
    assert "modelyard monitor --labels" in text


def test_nothing_to_explain_is_two_lines(tmp_path: Path) -> None:
    """No table without tests."""
    text = _shown(Diagnosis(Cause.NOTHING, None, (), (), Action.IGNORE), tmp_path / "monitoring.html")

    assert "nothing to explain" in text
    assert "threshold" not in text
    assert "--labels" not in text


def test_columns_that_moved_alike_share_one_step() -> None:
    """The first three are told, the others named; the advice stands below them once."""
    names = ("a", "b", "c", "d", "e")
    moved = [Finding("drift", Severity.ERROR, name, f"`{name}` moved.", "Odd.", "Look.") for name in names]
    lone = Finding("volume", Severity.INFO, "log", "Less came.", "Odd.", "Ask.")
    console = Console(width=60, record=True, file=io.StringIO())
    console.print(findings_view([lone, *moved]))
    console.print(findings_view([lone, *moved], most=2))

    assert [line.strip() for line in console.export_text().splitlines()] == [
        "✗ error  `a` moved.",
        "✗ error  `b` moved.",
        "✗ error  `c` moved.",
        "and 2 more: d, e",
        "Look.",
        "· info   log: Less came.",
        "Ask.",
        "✗ error  `a` moved.",
        "✗ error  `b` moved.",
        "and 3 more: c, d, e",
        "Look.",
        "and 1 more in the report",
    ]
