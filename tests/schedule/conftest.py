"""A project without a model, whose clock and jobs a test sets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.clock import Hand
from tests.schedule.stage import Stage, problem_with

from modelyard.store import Ledger, Workspace


@pytest.fixture
def make_stage(tmp_path: Path) -> Callable[..., Stage]:
    """Makes a project with sections of its file; its ledger may lie at an address."""

    def make(address: str = "", **sections: Any) -> Stage:
        clock, workspace = Hand(), Workspace(tmp_path / "churn")
        place = address or workspace.state / "ledger.db"
        head = tmp_path / "churn.head" if address else None
        workspace.__dict__["ledger"] = Ledger.open(place, clock=clock, head=head)
        return Stage(workspace, clock, problem_with(**sections))

    return make


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """A project with the default schedule."""
    return make_stage()
