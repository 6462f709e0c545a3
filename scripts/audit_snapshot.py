"""Write `docs/audits.md`: what the audit says of the open data sets in `tests/data`. `--check` only compares.

`--ames FILE` writes `docs/audits-ames.md` instead: of a data set whose licence does not let it lie here.
"""

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


FIGURES = "Of 62 planted faults 61 are named by check and column; 27 sound tables get 0 errors."
"""What the planted-fault suite counts; its test holds this sentence true."""


AMES = (
    "Gaps that mean *none* (no alley, no pool, no garage) come as missing values, so that missing tells the price; houses "
    "are listed street by street, so the order of the rows tells it too; the parcel number `PID` names rows."
)


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
        "The eighth, ames_housing, has [a page of its own](audits-ames.md): the open copy of its rows comes with a package under",
        "GPL-3, so they do not lie in this repository, and no test can hold that page true.",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, (target, data, word) in TABLES.items():
            source = ROOT / "tests" / "data" / f"{name}.parquet"
            report = _report(name, source, target, data, Workspace(Path(folder) / name))
            lines += ["", f"## {name}", "", word, "", *_lines(report)]
    return "\n".join(lines) + "\n"


def ames_page(source: Path) -> str:
    """The page of ames_housing (De Cock, Journal of Statistics Education 19(3), 2011), read from a file elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        report = _report("ames_housing", source, "price", {}, Workspace(Path(folder)))
    lines = [
        "# What the audit says of ames_housing",
        "",
        "Made by `python scripts/audit_snapshot.py --ames FILE`, where the file holds the 2,930 sales of De Cock (Journal of",
        "Statistics Education 19(3), 2011) as the R package openintro has them. See [the other seven](audits.md).",
        "",
        AMES,
        "",
        *_lines(report),
    ]
    return "\n".join(lines) + "\n"


def _report(name: str, source: Path, target: str, data: Mapping[str, str], workspace: Workspace) -> AuditReport:
    """The audit of one data set's training part, split as a project would."""
    frame = pl.read_parquet(source)
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
    if sys.argv[1:2] == ["--ames"]:
        PAGE.with_name("audits-ames.md").write_text(ames_page(Path(sys.argv[2])), encoding="utf-8")
        return 0
    text = snapshot_page()
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
    if stale and "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    if stale:
        print(("stale: " if "--check" in sys.argv else "written: ") + PAGE.name)
    return int(stale and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
