import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from modelyard.audit import AuditReport, audit
from modelyard.audit.checks import CHECKS
from modelyard.core import DataError, ProgressEvent, Severity, silent
from modelyard.data import Dataset, Roles, assign_roles, infer_schema
from modelyard.problem import Problem

Audited = Callable[..., AuditReport]
Clean = Callable[[int, int, str], pl.DataFrame]

KNOWN_ROWS = {"D5", "D6", "D7", "D8", "D9", "D10", "D11", "F5"}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("seed", range(3))
def test_a_clean_table_gets_no_error(audited: Audited, clean_table: Clean, seed: int, task: str) -> None:
    """Precision: faultless tables of any task get no error, and at most the one warning about a dominant feature."""
    report = audited(clean_table(seed, 1500, task))

    assert not [finding for finding in report.findings if finding.severity is Severity.ERROR]
    assert {f.id for f in report.findings if f.severity is Severity.WARNING} <= {"target-proxy"}


def test_noise_is_not_taken_for_signal(audited: Audited, clean_table: Clean) -> None:
    """Where the target is drawn by lot, no column scores far from chance."""
    frame = clean_table(5, 2000, "binary").with_columns(y=pl.Series(np.random.default_rng(1).permutation(2000) % 2))

    scores = [facts.score for facts in audited(frame).column_facts if facts.score is not None]
    assert len(scores) == 11
    assert max(scores) < 0.55


def test_a_quick_audit_trains_nothing_and_says_so(clean_table: Clean) -> None:
    """The checks that ask a model are left out with a reason; all others say what they say in the whole audit."""
    frame = clean_table(3, 800, "binary").with_columns(still=pl.lit(1), again=pl.col("x0"))
    problem = Problem.model_validate({"task": "binary", "data": {"source": "t", "target": "y", "positive": "1"}})
    schema = infer_schema(frame)
    train, roles = Dataset("t", frame, schema), assign_roles(problem, schema)
    whole, quick = (audit(train, problem, roles, seed=0, quick=short) for short in (False, True))

    trained = {check.id for check in CHECKS if check.trains}
    assert trained == {"target-proxy", "undeclared-group", "row-order", "label-errors", "target-errors", "strange-rows"}
    left_out = {one.check for one in quick.skipped if one.reason == "asks a model, which a quick audit does not train"}
    assert (quick.quick, whole.quick, left_out) == (True, False, trained)
    assert quick.findings == tuple(one for one in whole.findings if one.id not in trained)
    assert quick.column_facts == whole.column_facts


def test_a_report_survives_json(audited: Audited, clean_table: Clean) -> None:
    """What is written to disk is read back equal, and holds no NaN."""
    report = audited(clean_table(0, 300, "regression"))

    assert AuditReport.from_dict(json.loads(json.dumps(report.to_dict(), allow_nan=False))) == report
    skipped = {item.check for item in report.skipped}
    assert report.checks == tuple(check.id for check in CHECKS if check.id not in skipped)
    assert (report.rows, report.columns, report.score_name) == (300, 12, "R²")


def test_equal_seeds_give_equal_reports(audited: Audited, clean_table: Clean) -> None:
    """An audit can be repeated."""
    frame = clean_table(2, 600, "binary")

    assert audited(frame) == audited(frame)


def test_findings_are_complete_and_gravest_first(audited: Audited, clean_table: Clean) -> None:
    """Each finding says what, why and what next, and names a row of the life cycle."""
    frame = clean_table(0, 300, "binary").with_columns(
        copy=pl.col("y"), empty=pl.lit(None, pl.Float64), still=pl.lit(1), word=pl.lit("unknown")
    )
    findings = audited(frame).findings

    assert [f.severity.rank for f in findings] == sorted((f.severity.rank for f in findings), reverse=True)
    assert all(f.message.endswith(".") and f.why.endswith(".") and f.action.endswith(".") for f in findings)
    assert {f.row for f in findings} <= KNOWN_ROWS
    assert {"target-proxy", "empty-column", "constant-column", "small-sample"} <= {f.id for f in findings}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_one_row_is_no_trouble(task: str) -> None:
    """Nothing can be measured on one row; that it is one row is said."""
    frame = pl.DataFrame({"a": [1], "b": ["x"], "y": [1]})
    problem = Problem.model_validate({"task": task, "data": {"source": "t", "target": "y", "positive": "1"}})
    roles = Roles("y", ("a", "b"), None, None, None, {})

    report = audit(Dataset("t", frame, infer_schema(frame)), problem, roles, seed=0)
    assert "small-sample" in {finding.id for finding in report.findings}
    assert all(facts.score is None for facts in report.column_facts)


def test_no_row_is_an_error() -> None:
    """An empty training part cannot be audited."""
    frame = pl.DataFrame({"a": [1], "y": [1]}).clear()
    problem = Problem.model_validate({"task": "binary", "data": {"source": "t", "target": "y"}})

    with pytest.raises(DataError, match="no row to audit"):
        audit(Dataset("t", frame, infer_schema(frame)), problem, Roles("y", ("a",), None, None, None, {}), seed=0)


def test_extreme_numbers_do_not_break_it(audited: Audited) -> None:
    """Infinities, overflowing sums and a huge target are measured without a warning."""
    frame = pl.DataFrame(
        {
            "infinite": [float("inf"), 1.0, 2.0] * 100,
            "huge": [1e308, -1e308, 0.0] * 100,
            "spread": np.linspace(-0.5, 0.5, 300) * 1.7e308,
            "y": np.random.default_rng(0).normal(size=300) * 1e307,
        }
    )

    facts = {facts.name: facts for facts in audited(frame).column_facts}
    assert facts["huge"].quantiles[0] == -1e308
    assert facts["infinite"].mean == 1.5
    assert facts["spread"].sd is None
    assert audited(frame.drop("infinite")).rows == 300


def test_a_million_categories_are_fast(audited: Audited) -> None:
    """A column with a million levels takes seconds, and its report stays small."""
    rows = 1_000_000
    random = np.random.default_rng(0)
    code = pl.Series(random.integers(0, rows, rows)).cast(pl.String)
    report = audited(
        pl.DataFrame({"code": "k" + code, "x": random.normal(size=rows), "y": random.integers(0, 2, rows)})
    )

    assert {finding.id for finding in report.findings} == {"high-cardinality"}
    assert len(json.dumps(report.to_dict())) < 10_000


def test_progress_is_told(clean_table: Clean) -> None:
    """Listeners hear of every check, in order."""
    frame = clean_table(0, 200, "regression")
    problem = Problem.model_validate({"task": "regression", "data": {"source": "t", "target": "y"}})
    heard: list[ProgressEvent] = []
    train = Dataset("t", frame, infer_schema(frame))

    audit(train, problem, Roles("y", ("x0",), None, None, None, {}), seed=0, progress=heard.append)
    assert [event.done for event in heard] == list(range(1, len(CHECKS) + 1))
    assert audit(train, problem, Roles("y", ("x0",), None, None, None, {}), seed=0, progress=silent).rows == 200


def test_column_facts_hold_the_numbers(audited: Audited) -> None:
    """Means, quantiles and frequent values are those of the rows."""
    frame = pl.DataFrame(
        {"n": [1.0, 2.0, 3.0, None] * 50, "c": ["a", "a", "b", None] * 50, "y": [0.5, 1.5, 2.5, 3.5] * 50}
    )

    number, category, target = audited(frame).column_facts
    assert (number.mean, number.missing, number.distinct, number.role) == (2.0, 0.25, 3, "feature")
    assert number.quantiles == (1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.0)
    assert sum(number.counts) == 150
    assert [(level.value, level.share) for level in category.top] == [("a", 0.5), ("b", 0.25)]
    assert category.quantiles == ()
    assert target.role == "target"


def test_a_training_part_with_one_answer_is_no_trouble() -> None:
    """A time split may leave one target value in training: nothing can be measured, and nothing breaks."""
    frame = pl.DataFrame({"a": np.arange(400) % 7 + 0.5, "b": np.arange(400) % 3, "y": [1.0] * 400})
    for task in ("binary", "multiclass", "regression"):
        problem = Problem.model_validate({"task": task, "data": {"source": "t", "target": "y", "positive": "1"}})
        train = Dataset("t", frame, infer_schema(frame))

        report = audit(train, problem, Roles("y", ("a", "b"), None, None, None, {}), seed=0)
        assert not [finding for finding in report.findings if finding.severity is Severity.ERROR]
