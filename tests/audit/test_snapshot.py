import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_real_audits_is_true() -> None:
    """`docs/audits.md` says what the audit says today of the seven open data sets."""
    command = [sys.executable, str(ROOT / "scripts" / "audit_snapshot.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert (result.stdout, result.returncode) == ("", 0), "run: python scripts/audit_snapshot.py"
