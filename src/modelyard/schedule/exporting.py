"""Files with which others call `modelyard tick`: cron, systemd, GitHub Actions."""

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from modelyard.core import ConfigError
from modelyard.problem import Problem, did_you_mean

__all__ = ["CALLERS", "schedule_files"]


def schedule_files(caller: str, problem: Problem, root: Path) -> dict[str, str]:
    """File name to text, for a caller of :data:`CALLERS`.

    The file asks every five minutes; what is due, the project file says. So a change of it needs no new file.

    Parameters
    ----------
    root
        The project's folder, which cron and systemd need in full.

    Raises
    ------
    ConfigError
        If there is no such caller, or the folder has a name that the file cannot hold.
    """
    if caller not in CALLERS:
        raise ConfigError(
            "there is no such caller", where="--for", got=repr(caller), cure=did_you_mean(caller, sorted(CALLERS))
        )
    place = str(root.resolve())
    if any(letter in place for letter in "\n\r"):
        raise ConfigError("the folder's name has a line break", where=caller, got=repr(place), cure="Rename the folder")
    return CALLERS[caller](problem.name, place)


def _command(root: str) -> str:
    return f"{shlex.quote(sys.executable)} -m modelyard tick --project {shlex.quote(root)}"


def _cron(name: str, root: str) -> dict[str, str]:
    """A line for ``crontab``; ``%`` ends a command there."""
    command = _command(root).replace("%", r"\%")
    text = f"""# modelyard {name}: does what is due. Add it with: crontab -l | cat - {name}.cron | crontab -
# cron mails what is printed. A tick that finds another one at work ends with a sentence.
*/5 * * * * {command}
"""
    return {f"{name}.cron": text}


def _systemd(name: str, root: str) -> dict[str, str]:
    """A service that ticks once, a timer that calls it, and a service that watches in their place."""
    command = _systemd_words(sys.executable, "-m", "modelyard")
    folder = _systemd_words("--project", root)
    head = f"[Unit]\nDescription=modelyard {name}: "
    safe = "NoNewPrivileges=yes\nPrivateTmp=yes\nProtectSystem=full\n"
    tick = f"{head}do what is due\n\n[Service]\nType=oneshot\nExecStart={command} tick {folder}\n{safe}"
    timer = (
        f"{head}ask every five minutes\n\n[Timer]\nOnCalendar=*:0/5\nPersistent=true\nRandomizedDelaySec=20\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    watch = (
        f"{head}watch, in place of the timer\nConflicts=modelyard-{name}.timer\n\n[Service]\n"
        f"ExecStart={command} watch --standby {folder}\nRestart=on-failure\nRestartSec=30\nTimeoutStopSec=15min\n{safe}"
        "\n[Install]\nWantedBy=multi-user.target\n"
    )
    unit = f"modelyard-{name}"
    return {f"{unit}.service": tick, f"{unit}.timer": timer, f"{unit}-watch.service": watch}


def _systemd_words(*words: str) -> str:
    """Words as systemd reads them: quoted, with its own marks doubled."""
    doubled = (word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") for word in words)
    return " ".join(f'"{word}"' for word in doubled)


def _github(name: str, _root: str) -> dict[str, str]:
    """A workflow. Its machine forgets everything, so ledger and files must lie outside of it."""
    text = f"""# modelyard {name}: does what is due. Put it under .github/workflows/.
# The runner is made anew each time: `store.address` must name a PostgreSQL, and .modelyard is kept between runs by the cache.
name: modelyard {name}
on:
  schedule:
    - cron: "*/15 * * * *"  # UTC; GitHub may be late, and missed times are made up once
  workflow_dispatch: {{}}
permissions:
  contents: read
concurrency:
  group: modelyard-{name}
  cancel-in-progress: false
jobs:
  tick:
    runs-on: ubuntu-latest
    timeout-minutes: 120
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "{sys.version_info.major}.{sys.version_info.minor}"
      - uses: actions/cache@v4
        with:
          path: .modelyard
          key: modelyard-{name}-${{{{ github.run_id }}}}
          restore-keys: modelyard-{name}-
      - run: pip install modelyard
      - run: modelyard tick
        env:
          MODELYARD_STORE: ${{{{ secrets.MODELYARD_STORE }}}}
          MODELYARD_TOKEN: ${{{{ secrets.MODELYARD_TOKEN }}}}
"""
    return {f"modelyard-{name}.yml": text}


CALLERS: Mapping[str, Callable[[str, str], dict[str, str]]] = {"cron": _cron, "github": _github, "systemd": _systemd}
"""Who can call, and how its files are written."""
