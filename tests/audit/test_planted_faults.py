from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tests.audit.faults import FAULTS

from modelyard.audit import CHECKS, AuditReport
from modelyard.core import Finding, Severity

Audited = Callable[..., AuditReport]
Clean = Callable[[int, int, str], pl.DataFrame]

AUDITS = Path(__file__).parents[2] / "docs" / "audits.md"
ROWS = 2_000
LEAST_RECALL = 0.95
UNPLANTED = {"no-features"}
"""Findings that stand for no fault in the rows; tested with the audit itself."""


def real_table(folder: Path) -> pl.DataFrame:
    """Two thousand customers with the column names that the faults use."""
    rows = pl.read_parquet(folder / "telco_churn.parquet").drop_nulls().sample(ROWS, seed=1, shuffle=True)
    return rows.select(
        "gender",
        "Partner",
        "InternetService",
        "PaymentMethod",
        x0=pl.col("MonthlyCharges").cast(pl.Float64),
        age=pl.col("tenure") + 18,
        amount=pl.col("TotalCharges").cast(pl.Float64),
        plan="Contract",
        y=pl.col("Churn").cast(pl.String).str.to_lowercase().replace({"true": "yes", "false": "no"}),
    )


def made_table(clean: Clean) -> pl.DataFrame:
    """A generated table with the same names."""
    return clean(11, ROWS, "binary").with_columns(plan=pl.col("letter").replace({"a": "Month", "b": "Year"}))


def missed_faults(audited: Audited, bases: Sequence[pl.DataFrame]) -> list[str]:
    """The faults that the audit does not name, each with what it says instead."""
    missed = []
    for place, fault in enumerate(FAULTS):
        frame = fault.plant(bases[place % 2], np.random.default_rng(place))
        report = audited(frame, split=dict(fault.split), **fault.data)
        if not any(found.id == fault.check and found.subject == fault.subject for found in report.findings):
            said = ", ".join(sorted({f"{found.id}:{found.subject}" for found in report.findings}))
            missed.append(f"{fault.check:24} {fault.subject:16} base {place % 2}; said instead: {said}")
    return missed


def test_every_finding_is_planted() -> None:
    """No finding of a check is without a fault that it must raise."""
    known = {finding for check in CHECKS for finding in check.findings}

    assert known - UNPLANTED == {fault.check for fault in FAULTS}


def clean_tables(clean: Clean, folder: Path) -> Iterator[tuple[str, pl.DataFrame, str, Mapping[str, Any]]]:
    """Name, rows, target and declarations of tables in which nothing is wrong that would have to stop anybody."""
    for seed in range(3):
        for task in ("binary", "multiclass", "regression"):
            yield f"made {task} {seed}", clean(20 + seed, 600 * (seed + 1), task), "y", {}
    real = {
        "telco_churn": ("Churn", {}, ()),
        "adult_census": ("income", {}, ("uci_split",)),
        "bank_additional": ("y", {}, ("duration", "row_order")),
        "bike_sharing_hourly": ("cnt", {"time": "timestamp"}, ("casual", "registered")),
        "electricity_elec2": ("price_up", {"time": "row_order"}, ()),
        "parkinsons_telemonitoring": ("total_UPDRS", {"group": "subject"}, ("motor_UPDRS",)),
    }
    for name, (target, data, dropped) in real.items():
        whole = pl.read_parquet(folder / f"{name}.parquet").drop(dropped)
        for seed in range(3):
            rows = np.sort(np.random.default_rng(seed).choice(whole.height, 1_500 + 500 * seed, replace=False))
            yield f"{name} {seed}", whole[rows], target, data


def false_errors(audited: Audited, tables: Sequence[tuple[str, pl.DataFrame, str, Mapping[str, Any]]]) -> list[str]:
    """Errors in sound tables."""
    false: list[str] = []
    for name, frame, target, data in tables:
        errors = [f for f in audited(frame, target, **data).findings if f.severity is Severity.ERROR]
        false += [f"{name:28} {f.id}:{f.subject}: {f.message}" for f in errors]
    return false


def test_recall_and_precision(audited: Audited, clean_table: Clean, data_folder: Path) -> None:
    """Of all faults, planted in a real and in a generated table in turn, at least 95 % are named by check and column; no
    sound table gets an error; and `docs/audits.md` says the exact figures.
    """
    missed = missed_faults(audited, (real_table(data_folder), made_table(clean_table)))
    tables = list(clean_tables(clean_table, data_folder))
    false = false_errors(audited, tables)
    figures = (
        f"Of {len(FAULTS)} planted faults {len(FAULTS) - len(missed)} are named by check and column; "
        f"{len(tables)} sound tables get {len(false)} errors."
    )
    print(figures, *missed, *false, sep="\n")  # noqa: T201 - figures for people, shown by pytest -s

    assert len(FAULTS) >= 40
    assert len(tables) >= 20
    assert 1 - len(missed) / len(FAULTS) >= LEAST_RECALL, "\n".join(missed)
    assert false == [], "\n".join(false)
    assert figures in AUDITS.read_text(encoding="utf-8"), f"FIGURES in scripts/audit_snapshot.py should be: {figures}"


def test_all_faults_in_one_table(audited: Audited, clean_table: Clean, named: Callable[..., list[Finding]]) -> None:
    """A hundred columns with every fault that leaves the target as it is: nearly all are still told apart."""
    frame, random = made_table(clean_table), np.random.default_rng(3)
    faults = [fault for fault in FAULTS if fault.subject not in ("", "y") and not fault.data and not fault.split]
    faults = [fault for fault in faults if fault.check not in {"target-identity", "undeclared-group", "small-class"}]
    for fault in faults:
        grown = fault.plant(frame, random)
        frame = grown if grown.height == frame.height else frame
    filler = 100 - frame.width
    frame = frame.with_columns(pl.Series(f"f{n}", random.normal(size=frame.height)) for n in range(filler))

    report = audited(frame)
    missed = [f"{f.check}:{f.subject}" for f in faults if not named(report, f.check, f.subject)]
    assert frame.width == 100
    assert len(missed) <= 0.1 * len(faults), missed
