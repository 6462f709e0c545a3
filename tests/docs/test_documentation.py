"""The documentation is complete, current, and its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
LIFECYCLE_ROWS = [
    f"{letter}{number}"
    for letter, count in (
        ("P", 8),
        ("D", 14),
        ("F", 9),
        ("T", 14),
        ("E", 12),
        ("K", 8),
        ("S", 9),
        ("M", 7),
        ("R", 7),
        ("G", 8),
    )
    for number in range(1, count + 1)
]


def test_generated_pages_are_current() -> None:
    """`make docs` would change nothing: every command and every key of the project file is documented."""
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "generate_docs.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert result.stdout == ""
    assert result.returncode == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that exists."""
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text)
    broken = [target for target in targets if not (page.parent / target).exists()]

    assert broken == []


def test_coverage_page_has_every_row_of_the_life() -> None:
    """Each row P1 … G8 stands on the coverage page exactly once, in order."""
    text = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z]\d+) \|", text, flags=re.MULTILINE)

    assert rows == LIFECYCLE_ROWS


def test_coverage_page_names_tests_that_exist() -> None:
    """A row that claims to be met points to test files that are there."""
    text = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[^`]+)`", text)
    missing = [path for path in named if not (ROOT / path).exists()]

    assert named
    assert missing == []


def test_every_room_has_its_page() -> None:
    """The guide has one page per stage of the life, and each is linked from the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    guides = sorted((ROOT / "docs").glob("[0-9][0-9]-*.md"))

    assert len(guides) == 12
    assert [guide.name for guide in guides if f"docs/{guide.name}" not in readme] == []


def test_readme_names_the_two_commands() -> None:
    """The contract with a newcomer stands in the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert "make demo" in readme
    assert "make test" in readme
