"""Write `docs/audits.md`: what the audit says of the open data sets in `tests/data`. `--check` only compares."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from modelyard.audit import AuditReport, audit
from modelyard.core import Actor, Severity
from modelyard.core.actor import ActorSource
from modelyard.data import assign_roles, load_version, make_split, resolve, store_version
from modelyard.problem import Problem
from modelyard.store import Workspace

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "audits.md"
TABLES: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "telco_churn": ("Churn", {}, "Sound, as expected: no error, no warning; the customer's number is left out."),
    "adult_census": (
        "income",
        {},
        "99999 dollars of gain is a cap, not an amount; workclass and occupation are one question.",
    ),
    "bank_additional": (
        "y",
        {"time": "row_order"},
        "`duration` is known only after the call: a true leak. The market drifts.",
    ),
    "bike_sharing_hourly": (
        "cnt",
        {"time": "timestamp"},
        "`casual` and `registered` add up to the target: true leaks. Seasons drift.",
    ),
    "electricity_elec2": (
        "price_up",
        {"time": "row_order"},
        "Prices drift; the Victorian columns stand still in the first third: their meaning changes.",
    ),
    "parkinsons_telemonitoring": (
        "total_UPDRS",
        {"group": "subject"},
        "`motor_UPDRS` is a part of the target: a true leak.",
    ),
    "sms_spam": (
        "label",
        {},
        "403 messages repeat in the published collection too; the text itself is read as terms.",
    ),
}
"""Target, declared roles, and the reviewer's word."""


FIGURES = "Of 59 planted faults 58 are named by check and column; 27 sound tables get 0 errors."
"""What the planted-fault suite counts; its test holds this sentence true."""


def snapshot_page() -> str:
    """The page: one section for each data set."""
    lines = [
        "# What the audit says of real tables",
        "",
        "Made by `python scripts/audit_snapshot.py` on the training parts of the open data sets in `tests/data`; a test checks",
        "that it is true. Each section begins with the word of a reviewer who knows the data.",
        "",
        f"{FIGURES} (`tests/audit/test_planted_faults.py`)",
        "",
        "The eighth open data set of the project, ames_housing, is not here: the only open copy comes with a package under",
        "GPL-3, and what licence the rows have is not said.",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, (target, data, word) in TABLES.items():
            report = _report(name, target, data, Workspace(Path(folder) / name))
            lines += ["", f"## {name}", "", word, "", *_lines(report)]
    return "\n".join(lines) + "\n"


def _report(name: str, target: str, data: Mapping[str, str], workspace: Workspace) -> AuditReport:
    """The audit of one data set's training part, split as a project would."""
    frame = pl.read_parquet(ROOT / "tests" / "data" / f"{name}.parquet")
    problem = resolve(Problem.model_validate({"name": name, "data": {"source": name, "target": target, **data}}), frame)
    dataset = load_version(store_version(frame, name, workspace).id, workspace)
    train = make_split(dataset, problem, workspace, Actor("docs", ActorSource.OS_USER)).train
    return audit(train, problem, assign_roles(problem, train.schema), seed=0)


def _lines(report: AuditReport) -> Iterator[str]:
    """Counts, then a row for each finding, and the checks that could not run."""
    counts = ", ".join(f"{sum(f.severity is one for f in report.findings)} {one.value}" for one in reversed(Severity))
    yield f"{report.rows:,} rows, {report.columns} columns; {counts}; {len(report.checks)} checks ran, {len(report.skipped)} could not."
    yield ""
    yield "| severity | finding | column | what was seen |"
    yield "|---|---|---|---|"
    for finding in report.findings:
        yield f"| {finding.severity.value} | `{finding.id}` | {finding.subject} | {finding.message} |"


def main() -> int:
    """Write the page, or with `--check` compare it; 1 if it is stale."""
    text = snapshot_page()
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
    if stale and "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    if stale:
        print(("stale: " if "--check" in sys.argv else "written: ") + PAGE.name)
    return int(stale and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
