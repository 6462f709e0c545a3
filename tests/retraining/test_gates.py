import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.audit import Acknowledgement, AuditReport
from modelyard.core import Finding, Severity
from modelyard.data import ColumnContract, ColumnKind, Contract
from modelyard.problem import Problem
from modelyard.retraining.duel import Duel
from modelyard.retraining.gates import audit_gate, comparison_gate, contract_gate, data_gate, segments_gate

Array = npt.NDArray[np.float64]

RNG = np.random.default_rng(0)
TRUTH = (RNG.random(400) < 0.4).astype(float)
GOOD = np.clip(0.2 + 0.5 * TRUTH + RNG.normal(0, 0.15, 400), 0, 1)
POOR = RNG.random(400)


def problem(**retraining: Any) -> Problem:
    """A binary problem judged by ROC AUC, with a segment column."""
    return Problem.model_validate(
        {
            "task": "binary",
            "data": {"source": "t", "target": "y"},
            "metrics": {"primary": "roc_auc"},
            "segments": ["region", "gone"],
            "retraining": retraining,
        }
    )


def duel(
    champion: Array, challenger: Array, *, truth: Array = TRUTH, frame: pl.DataFrame | None = None, **options: Any
) -> Duel:
    """Two systems on the same rows."""
    return Duel(pl.DataFrame({"y": truth}) if frame is None else frame, truth, champion, challenger, **options)


def report(*errors: tuple[str, Severity]) -> AuditReport:
    """An audit with these findings."""
    findings = tuple(
        Finding(id=name, severity=severity, subject="x", message=f"{name} is wrong.", why="", action="", row="D8")
        for name, severity in errors
    )
    return AuditReport(rows=10, columns=1, findings=findings, column_facts=())


@pytest.mark.parametrize(
    ("given", "new", "needed", "passed"), [(300, 200, 200, True), (300, 199, 200, False), (0, 0, 1, False)]
)
def test_data_gate(given: int, new: int, needed: int, passed: bool) -> None:
    """At least the needed number of new rows."""
    gate = data_gate(given, new, needed)

    assert gate.passed is passed
    assert f"{new:,} of {given:,} rows are new" in gate.detail


@pytest.mark.parametrize(("broken", "passed"), [(0, True), (5, True), (6, False), (100, False)])
def test_contract_gate(broken: int, passed: bool) -> None:
    """At most one row of twenty may break the contract; the column is named."""
    contract = Contract((ColumnContract("age", ColumnKind.NUMERIC, nullable=False, low=0.0, high=99.0, categories=()),))
    frame = pl.DataFrame({"age": ["x"] * broken + ["33"] * (100 - broken)})
    gate = contract_gate(contract, frame)

    assert gate.passed is passed
    assert f"{broken} of 100 rows break the contract" in gate.detail
    assert ("columns: age" in gate.detail) is (broken > 0)


def test_audit_gate() -> None:
    """Only an error that the champion's audit did not have, as an error, is a no."""
    assert audit_gate(report(), report()).passed
    assert audit_gate(report(("leak", Severity.ERROR)), report(("leak", Severity.ERROR))).passed
    assert audit_gate(report(("leak", Severity.WARNING)), report()).passed

    for accepted in (report(), report(("leak", Severity.WARNING)), report(("other", Severity.ERROR))):
        gate = audit_gate(report(("leak", Severity.ERROR)), accepted)

        assert not gate.passed
        assert gate.detail == "leak is wrong."


def test_an_acknowledged_error_passes_the_audit_gate() -> None:
    """What somebody decided to live with stops no retraining; another error beside it does."""
    until = dt.date(2030, 1, 1)
    decided = Acknowledgement("leak", "x", "known beforehand", until, "ada", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    one = dataclasses.replace(report(("leak", Severity.ERROR)), acknowledgements=(decided,))
    two = dataclasses.replace(report(("leak", Severity.ERROR), ("other", Severity.ERROR)), acknowledgements=(decided,))

    assert audit_gate(one, report()).passed
    assert audit_gate(two, report()).detail == "other is wrong."


def test_comparison_gate() -> None:
    """Better passes; worse and alike do not; a gain below what is asked for is named."""
    better = comparison_gate(problem(), duel(POOR, GOOD))

    assert better.passed
    assert better.detail.endswith(": better.")
    assert not comparison_gate(problem(), duel(GOOD, POOR)).passed
    assert not comparison_gate(problem(), duel(GOOD, GOOD)).passed

    short = comparison_gate(problem(min_gain=0.9), duel(POOR, GOOD))
    assert not short.passed
    assert "below the 0.9 that is asked for" in short.detail


def test_comparison_gate_without_a_figure() -> None:
    """Fresh rows of one class have no ROC AUC: the answer is no, not a crash."""
    gate = comparison_gate(problem(), duel(POOR, GOOD, truth=np.ones(400)))

    assert not gate.passed
    assert "–" in gate.detail


def test_comparison_gate_without_rows() -> None:
    """Without fresh rows nothing is known: the answer is no, with the cure."""
    nothing = np.empty(0)
    gate = comparison_gate(problem(), duel(nothing, nothing, truth=nothing))

    assert not gate.passed
    assert "split.validation" in gate.detail


def test_each_decides_by_its_own_threshold() -> None:
    """Accuracy of labels: a challenger whose scores are all halved is no worse, with its threshold halved too."""
    asked = problem().model_copy(update={"metrics": problem().metrics.model_copy(update={"primary": "accuracy"})})
    halved = duel(GOOD, GOOD / 2, frame=pl.DataFrame({"region": ["north"] * 400}), thresholds=(0.5, 0.25))

    assert "improvement +0, " in comparison_gate(asked, halved).detail
    assert segments_gate(asked, halved).detail.endswith("0.0000, region = north.")
    assert not segments_gate(asked, dataclasses.replace(halved, thresholds=(0.5, 0.5))).passed


def test_rows_of_one_unit_are_one_witness() -> None:
    """Ten copies of forty rows prove no more than forty rows: the interval is as wide."""
    truth, poor, good = (np.tile(values[:40], 10) for values in (TRUTH, POOR, GOOD))
    units = np.tile(np.arange(40), 10)
    alone = comparison_gate(problem(), duel(POOR[:40], GOOD[:40], truth=TRUTH[:40])).detail
    together = comparison_gate(problem(), duel(poor, good, truth=truth, units=units)).detail
    apart = comparison_gate(problem(), duel(poor, good, truth=truth)).detail

    assert _low(together) == pytest.approx(_low(alone), abs=0.05)
    assert _low(apart) > _low(together) + 0.05


def test_segments_gate() -> None:
    """A segment that loses more than it may is a no; small ones and absent columns stop nobody."""
    regions = pl.DataFrame({"region": ["north"] * 200 + ["south"] * 160 + ["islet"] * 40})
    mixed = np.where(np.arange(400) < 200, GOOD, POOR)
    gate = segments_gate(problem(), duel(GOOD, mixed, frame=regions))

    assert not gate.passed
    assert gate.detail.startswith("region = south loses")
    assert segments_gate(problem(), duel(POOR, GOOD, frame=regions)).passed
    assert segments_gate(problem(max_segment_loss=0.9), duel(GOOD, mixed, frame=regions)).passed

    tiny = np.where(np.arange(400) < 360, GOOD, POOR)
    assert segments_gate(problem(), duel(GOOD, tiny, frame=regions)).passed
    none = segments_gate(problem(), duel(GOOD[:40], POOR[:40], truth=TRUTH[:40], frame=regions.head(40)))
    assert (none.passed, none.detail) == (True, "No declared segment has enough fresh rows to be measured on.")


def test_segments_of_numbers_are_ranges() -> None:
    """A numeric column is cut at its quartiles, so that no value is too rare to be watched."""
    ages = pl.DataFrame({"region": np.arange(400)})
    gate = segments_gate(problem(), duel(GOOD, np.where(np.arange(400) < 300, GOOD, POOR), frame=ages))

    assert not gate.passed
    assert "region = " in gate.detail
    assert " to " in gate.detail


def _low(detail: str) -> float:
    """The lower end of the interval in a comparison's words."""
    return float(detail.split("interval ")[1].split(" to ", maxsplit=1)[0])
