"""Requests as callers make them, through the server and its log, against the table that the model learnt from."""

import json

import polars as pl
from tests.monitoring.skew.conftest import SETTINGS, Shop
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import Severity
from modelyard.monitoring import Verdict
from modelyard.monitoring.skew import Pattern, SkewReport, SkewRequest, check_skew


def checked(shop: Shop, request: SkewRequest | None = None, *settings: str) -> SkewReport:
    """The check on the shop's project."""
    project = shop.open(*settings)
    return check_skew(project.workspace, project.problem, project.actor, request)


def test_clean_requests_are_quiet(shop: Shop) -> None:
    """Every answer is computed again by package and pipeline, every request found, no value differs; the ledger says so."""
    shop.ask(shop.rows.head(200).drop("Churn"))
    report = checked(shop)
    (row,) = shop.open().workspace.ledger.rows(action="skew.checked")

    assert (report.verdict, report.findings) == (Verdict.QUIET, ())
    assert [(one.by, one.rows, one.differing) for one in report.scores] == [
        ("package", 200, 0),
        ("training pipeline", 200, 0),
    ]
    assert (report.match.key, report.match.matched, report.match.unmatched) == ("customerID", 200, 0)
    assert len(report.columns) == 19
    assert {one.differing for one in report.columns} == {0}
    assert (row.subject, row.details["verdict"], row.details["columns"]) == ("churn/1", "quiet", {})
    assert SkewReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_another_unit_is_found_by_the_command(shop: Shop) -> None:
    """A caller who sends cents: the column, the factor, exit code 3; answers are what the package gives for such rows."""
    rows = shop.rows.head(120).drop("Churn").with_columns(pl.col("MonthlyCharges") * 100)
    shop.ask(rows)
    options = [word for setting in SETTINGS for word in ("--set", setting)]
    result = CliRunner().invoke(app, ["skew", "--project", str(shop.root), "--json", *options])
    record = json.loads(result.stdout)
    (finding,) = record["findings"]
    seen = CliRunner().invoke(app, ["skew", "--project", str(shop.root), *options])

    assert result.exit_code == 3
    assert (finding["id"], finding["severity"], finding["subject"]) == ("skew-unit", "error", "MonthlyCharges")
    assert "multiplied by 100 (percent or cents)" in finding["message"]
    assert [(one["differing"], one["pattern"]) for one in record["columns"] if one["differing"]] == [(120, "unit")]
    assert {one["differing"] for one in record["scores"]} == {0}
    assert "MonthlyCharges" in seen.stdout


def test_each_way_to_differ_has_its_finding(shop: Shop) -> None:
    """Missing values, another spelling, one value for all; and few differences are no finding."""
    rows = shop.rows.head(200).drop("Churn").with_row_index("place")
    few = pl.col("place") < 3
    rows = rows.with_columns(
        pl.when(pl.col("place") % 2 == 0).then("TotalCharges"),
        pl.col("Contract").str.to_uppercase(),
        pl.lit(0.0).alias("tenure"),
        pl.when(few).then(pl.col("MonthlyCharges") + 7).otherwise("MonthlyCharges").alias("MonthlyCharges"),
    )
    shop.ask(rows.drop("place"))
    report = checked(shop)
    columns = {one.column: one for one in report.columns}

    assert {(one.id, one.subject, one.severity) for one in report.findings} == {
        ("skew-missing", "TotalCharges", Severity.ERROR),
        ("skew-spelling", "Contract", Severity.ERROR),
        ("skew-one-value", "tenure", Severity.ERROR),
    }
    assert columns["TotalCharges"].missing == columns["TotalCharges"].differing == 100
    assert (columns["Contract"].respelled, columns["Contract"].unseen) == (200, 200)
    assert columns["tenure"].detail == "always 0"
    assert (columns["MonthlyCharges"].differing, columns["MonthlyCharges"].pattern) == (3, Pattern.NONE)


def test_an_answer_that_nobody_gave_is_found(shop: Shop) -> None:
    """A log whose score was altered: package and pipeline disagree with it, each by name."""
    shop.ask(shop.rows.head(50).drop("Churn"))
    (path,) = shop.open().workspace.folder("predictions").glob("predictions-*.jsonl")
    lines = path.read_text().splitlines()
    changed = json.loads(lines[3])
    changed["score"] = 1 - changed["score"]
    path.write_text("\n".join([*lines[:3], json.dumps(changed), *lines[4:]]) + "\n")
    report = checked(shop)

    assert {(one.id, one.subject) for one in report.findings} == {
        ("skew-scores", "package"),
        ("skew-scores", "training pipeline"),
    }
    assert [(one.differing, one.examples) for one in report.scores] == [(1, (changed["id"],))] * 2
    assert report.verdict is Verdict.ALARM


def test_the_sample_is_drawn_by_its_seed(shop: Shop) -> None:
    """As many as asked for, the same ones with the same seed, others with another."""
    shop.ask(shop.rows.head(100).drop("Churn"))
    first, again, other = (checked(shop, SkewRequest(sample=30, seed=seed)) for seed in (1, 1, 2))

    assert (first.logged, first.sampled, first.match.matched) == (100, 30, 30)
    assert first == again
    assert (first.since, first.until) == (other.since, other.until) or first != other


def test_a_table_with_ids_of_answers_needs_no_key_in_the_log(shop: Shop) -> None:
    """What the warehouse had, by the id with which each request was answered."""
    asked = shop.rows.head(60).drop("Churn")
    answers = shop.ask(asked.with_columns(pl.col("tenure").cast(pl.Int64) * 12), "log.also=[]")
    table = shop.root.parent / "had.parquet"
    asked.with_columns(id=pl.Series([answer["id"] for answer in answers])).write_parquet(table)
    blind = checked(shop, None, "log.also=[]")
    report = checked(shop, SkewRequest(data=str(table)), "log.also=[]")

    assert blind.match.not_compared.startswith("the log does not hold customerID; set log.also: [customerID]")
    assert (blind.verdict, [one.subject for one in blind.findings]) == (Verdict.QUIET, ["table"])
    assert (report.match.key, report.match.matched) == ("id", 60)
    assert [(one.id, one.subject) for one in report.findings] == [("skew-unit", "tenure")]


def test_hashed_keys_are_found_and_hidden_columns_said(shop: Shop) -> None:
    """A key that the log holds as codes finds its row; a hidden column is compared with nothing, and no row is scored."""
    settings = ("log.personal={customerID: hash, gender: hash}",)
    shop.ask(shop.rows.head(60).drop("Churn"), *settings)
    report = checked(shop, None, *settings)

    assert (report.match.matched, report.match.unmatched) == (60, 0)
    assert report.left_out == {"gender": "the log does not hold it as it came"}
    assert {one.not_compared for one in report.scores} == {"the log does not hold gender as it came"}
    assert {one.severity for one in report.findings} == {Severity.INFO}


def test_nothing_compared_is_no_success(shop: Shop) -> None:
    """Without an answer in the log the verdict is that there are no data."""
    report = checked(shop)

    assert (report.verdict, report.sampled) == (Verdict.NO_DATA, 0)
    assert {one.id for one in report.findings} == {"skew-not-compared"}
