"""View of the status."""

from rich.console import RenderableType

from modelyard.cli.show.blocks import counted, facts, findings_view, headline, hint, stack
from modelyard.status import Status

__all__ = ["show_status"]


def show_status(status: Status) -> RenderableType:
    """What exists of the life, and what comes next."""
    waiting = ", ".join(f"version {version}" for version in status.waiting) or "none"
    return stack(
        headline(status.name),
        facts(
            (
                ("data", status.dataset_id or "–"),
                ("split", f"{status.split_id or '–'}, test opened {counted(status.test_openings, 'time')}"),
                ("run", status.run_id or "–"),
                ("package", status.package or "–"),
                ("production", f"version {status.production}" if status.production else "nothing yet"),
                *((("rolled out", status.rollout),) if status.rollout else ()),
                *((("retraining", status.retraining),) if status.retraining else ()),
                ("waiting for approval", waiting),
                ("ledger", f"{counted(status.ledger_rows, 'row')}, {'verified' if status.ledger_ok else 'BROKEN'}"),
            )
        ),
        findings_view(status.findings) if status.findings else None,
        hint(status.next_step),
    )
