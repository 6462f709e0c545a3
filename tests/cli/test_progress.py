"""Bars are drawn for people only, and leave nothing behind."""

import pytest

from modelyard.cli.progress import clear_progress, terminal_progress
from modelyard.core import ProgressEvent, silent

ERASE_LINE = "\x1b[2K"


def test_nobody_watches() -> None:
    """Into a file or a pipe no bar is drawn."""
    assert terminal_progress() is silent


@pytest.mark.parametrize("done", [7, 20])
def test_nothing_is_left(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, done: int) -> None:
    """A step that ends, and one that is interrupted, both erase their bar."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    listen = terminal_progress()
    listen(ProgressEvent("folds", 1, 20, "linear, fold 1"))
    listen(ProgressEvent("folds", done, 20, "linear, fold 2"))
    clear_progress()

    drawn = capsys.readouterr().err
    assert "folds" in drawn
    assert drawn.rindex(ERASE_LINE) > drawn.rindex("folds")
