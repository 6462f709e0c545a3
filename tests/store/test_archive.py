from pathlib import Path

import pytest

from modelyard.core import IntegrityError, StateError
from modelyard.store import Verification, load_record, save_record

RECORD = Verification(ok=True, rows=3)


def test_a_record_comes_back(tmp_path: Path) -> None:
    """What was saved is loaded; the page lies beside it and is what is returned."""
    page = save_record(tmp_path / "a", "check", RECORD, "<p>well</p>")

    assert page == tmp_path / "a" / "check.html"
    assert page.read_text(encoding="utf-8") == "<p>well</p>"
    assert load_record(Verification, tmp_path / "a", "check", cure="Run it") == RECORD
    assert save_record(tmp_path / "b", "check", RECORD) == tmp_path / "b" / "check.json"


def test_a_missing_record_names_its_command(tmp_path: Path) -> None:
    """The cure is the caller's."""
    with pytest.raises(StateError, match="Run: modelyard audit"):
        load_record(Verification, tmp_path, "check", cure="Run: modelyard audit")


@pytest.mark.parametrize(
    "content", ["", "[]", "7", "null", '{"ok": true}', '{"ok": true, "rows": 1, "more": 2}', "\x00"]
)
def test_a_damaged_record_is_a_clear_error(tmp_path: Path, content: str) -> None:
    """Whatever lies in the file, it is an IntegrityError."""
    (tmp_path / "check.json").write_text(content, encoding="utf-8")
    with pytest.raises(IntegrityError):
        load_record(Verification, tmp_path, "check", cure="Run it again")
