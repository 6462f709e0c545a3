"""The account: which rows the figures rest on, and who opened the sealed ones, when and why."""

from modelyard.evaluation.records import Evaluation
from modelyard.report import Section, Table, format_number
from modelyard.training.records import TrainingRun

__all__ = ["account_section"]


def account_section(evaluation: Evaluation, run: TrainingRun) -> Section:
    """Everything an auditor needs to find the very rows again."""
    account = evaluation.account
    if account.opened_at is not None:
        lead = (
            f"The {account.test_rows:,} sealed test rows were opened by {account.opened_by} on "
            f"{account.opened_at:%Y-%m-%d at %H:%M} UTC, “{account.reason}”; openings of these rows so far: "
            f"{account.openings}."
        )
    elif account.openings:
        lead = f"The sealed test rows were not opened for this page; openings of these rows so far: {account.openings}."
    else:
        lead = f"The {account.test_rows:,} sealed test rows have never been opened."
    rows = [
        ("data set", account.dataset_id),
        ("split", f"{account.split_id}, {account.strategy}: {account.split_reason}"),
        ("training rows", f"{account.train_rows:,}, for fitting and for choosing the winner by {run.folds} folds"),
        ("validation rows", f"{account.validation_rows:,}, for the threshold, the importance and the explanations"),
        ("test rows", f"{account.test_rows:,}, sealed under SHA-256 {account.test_digest}"),
        ("openings", str(account.openings)),
        ("intervals", _intervals(evaluation)),
        ("seed", str(run.seed)),
        ("libraries", ", ".join(f"{name} {version}" for name, version in sorted(run.environment.items()))),
    ]
    return Section("The account", (Table(("what", "which"), tuple(rows)),), lead)


def _intervals(evaluation: Evaluation) -> str:
    units = evaluation.account.independent_units
    together = f"; rows of {format_number(units)} groups or stretches of time are drawn together" if units else ""
    confidence = f"{100 * evaluation.confidence:.4g} %" if evaluation.test else "95 %"
    widened = ", widened for repeated openings (Bonferroni)" if evaluation.test and evaluation.openings > 1 else ""
    return f"bootstrap (BCa), {confidence}{widened}{together}"
