"""The log is tidied, the ledger signed."""

import datetime as dt

from modelyard.schedule.jobs.job import SCHEDULER, Yard
from modelyard.schedule.records import Done

__all__ = ["checkpoint", "tidy"]


def tidy(yard: Yard, _slot: dt.datetime) -> Done | None:
    """Compact the prediction log and remove what is older than it is kept; the ledger hears of what went."""
    from modelyard.serving import tidy_log

    if not yard.workspace.folder("predictions").is_dir():
        return None
    ledger = yard.workspace.ledger
    before = ledger.count("log.retired", yard.problem.name)
    tidy_log(yard.problem, yard.workspace, SCHEDULER)
    went = ledger.count("log.retired", yard.problem.name) > before
    days = yard.problem.log.keep_days
    return Done(f"records older than {days} days were removed", is_noted=False) if went else None


def checkpoint(yard: Yard, _slot: dt.datetime) -> Done | None:
    """Sign the ledger's last row, and keep the signature outside of the database. It leaves no row, which would want the next one."""
    if not yard.problem.store.checkpoints.to:
        return None
    head = yard.workspace.ledger.checkpoint()
    return Done(f"row {head.sequence} of the ledger was signed", is_noted=False) if head.sequence else None
