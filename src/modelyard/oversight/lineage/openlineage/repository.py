"""Where the project's code is: its repository, as git knows it, and the commit of which a package was built."""

import functools
import re
from pathlib import Path

from modelyard.problem.address import is_url, without_password
from modelyard.store import ask_git

__all__ = ["source_code"]

_SHORT = re.compile(r"^(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)$")


def source_code(root: Path, commit: str) -> dict[str, str]:
    """The content of the facet: the remote repository, or the folder if there is none.

    Parameters
    ----------
    root
        The project's folder.
    commit
        The commit.
    """
    remote = _asked(root, "config", "--get", "remote.origin.url")
    top = _asked(root, "rev-parse", "--show-toplevel")
    home = (Path(top) if top else root).absolute()
    url = _web(remote) if remote else home.as_uri()
    path = root.absolute().relative_to(home).as_posix() if root.absolute().is_relative_to(home) else ""
    told = {"type": "git", "url": url, "repoUrl": url, "path": path, "version": commit}
    return {name: value for name, value in told.items() if value not in ("", ".")}


def _web(remote: str) -> str:
    """A remote as a URI without a login: ``git@host:team/churn.git`` is ``ssh://host/team/churn.git``.

    >>> _web("git@git.example.org:team/churn.git"), _web("https://ann:x1@git.example.org/churn.git")
    ('ssh://git.example.org/team/churn.git', 'https://git.example.org/churn.git')
    """
    if is_url(remote):
        return without_password(remote).replace("://…@", "://")
    short = _SHORT.match(remote)
    return f"ssh://{short.group(1)}/{short.group(2)}" if short else Path(remote).absolute().as_uri()


@functools.cache
def _asked(root: Path, *words: str) -> str:
    """What git says, asked once; empty without git, outside of a repository, or for what it does not know."""
    return ask_git(root, *words).strip()
