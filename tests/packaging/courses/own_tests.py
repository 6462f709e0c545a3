"""The tests that a package brings along."""

import shutil
import subprocess
import sys
from pathlib import Path

from modelyard.packaging import Package
from modelyard.packaging.verification import verify_package

__all__ = ["assert_own_tests_pass"]


def assert_own_tests_pass(package: Package, copy: Path) -> None:
    """They pass on a copy, in a process of their own, and leave it whole."""
    shutil.copytree(package.folder, copy)
    asked = [sys.executable, "-m", "pytest", "-q", str(copy / "tests")]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-2000:]
    assert verify_package(copy).ok
