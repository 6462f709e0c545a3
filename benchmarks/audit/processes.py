"""Measurements in fresh processes, and the peers' environments."""

import dataclasses
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

__all__ = ["Cost", "commanded", "environment", "measured"]

HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one process cost.

    Parameters
    ----------
    wall_s, processor_s
        Seconds passed, and seconds of processor time (user and system).
    peak_mb
        Most memory resident, by ``ru_maxrss``.
    html_mb
        Size of the page.
    said
        What it printed.
    """

    wall_s: float
    processor_s: float
    peak_mb: float
    html_mb: float
    said: str


def environment(cache: Path, name: str, packages: Sequence[str]) -> Path:
    """The Python of a virtual environment with these packages; made on the first call."""
    folder = cache / name
    done = folder / "packages.txt"
    wanted = "\n".join(packages)
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", *packages], check=True)
        done.write_text(wanted, encoding="utf-8")
    return folder / "bin" / "python"


def measured(python: Path, script: str, *words: str, most_s: float = 1_800.0) -> Cost:
    """Run a script of this folder to its end and count what it took; the word ``PAGE`` is where it writes its page.

    Raises
    ------
    RuntimeError
        If it fails, or takes longer than ``most_s`` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "audit.html"
        words = tuple(str(page) if word == "PAGE" else word for word in words)
        cost = commanded(python, str(HERE / script), *words, most_s=most_s)
        return dataclasses.replace(cost, html_mb=page.stat().st_size / 1e6 if page.exists() else 0.0)


def commanded(program: Path, *words: str, most_s: float = 1_800.0) -> Cost:
    """Run a program to its end and count what it took.

    Raises
    ------
    RuntimeError
        As :func:`measured`.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen([program, *words], stdout=output, stderr=errors, env=_surroundings(program))
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0 or wall_s > most_s:
            errors.seek(0)
            raise RuntimeError(f"{program.name} {words[0]}: " + errors.read().decode(errors="replace")[-2_000:])
        output.seek(0)
        processor_s = usage.ru_utime + usage.ru_stime
        return Cost(wall_s, processor_s, usage.ru_maxrss / 1e3, 0.0, output.read().decode())


def _surroundings(python: Path) -> dict[str, str]:
    """The environment of a process; peers do not see our packages."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ours = str(python) == sys.executable and "PYTHONPATH" in os.environ
    return kept | ({"PYTHONPATH": os.environ["PYTHONPATH"]} if ours else {})
