"""Alerts in the terminal: one line each on standard error."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.cli.watching.alert_lines import AlertLines, show_alerts
from modelyard.monitoring.alerting import try_sink
from modelyard.problem import Problem

LOGGER = logging.getLogger("modelyard.alerts")


@pytest.fixture
def shown() -> Iterator[None]:
    """The handler in place, and gone afterwards."""
    level = LOGGER.level
    show_alerts()
    show_alerts()
    yield
    for handler in [one for one in LOGGER.handlers if isinstance(one, AlertLines)]:
        LOGGER.removeHandler(handler)
    LOGGER.setLevel(level)
    LOGGER.propagate = True


@pytest.mark.usefixtures("shown")
def test_a_message_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Once, however often it was asked for, and apart from what goes to programs."""
    problem = Problem.model_validate({"name": "shop", "data": {"source": "a.csv", "target": "y"}})

    try_sink("log", problem, tmp_path)

    out, err = capsys.readouterr()
    assert out == ""
    assert err == "  ⚑ alert a test of this sink (test)\n"
