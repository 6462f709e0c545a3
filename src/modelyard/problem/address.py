"""Addresses of data: files, object storage, databases. A password never stands in one; the environment holds it."""

import os
import re
from urllib.parse import unquote

from modelyard.core import ConfigError

__all__ = ["fill_in", "holds_password", "is_url", "scheme_of", "without_password"]

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)://")
_LOGIN = re.compile(r"://[^/?#\s]*?:([^/?#]*)@")
_ARGUMENT = re.compile(r"[?&;][^=&;]*(?:passw|pwd|secret|token|credential|api_?key|sig)[^=&;]*=([^&;]*)", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def scheme_of(address: str) -> str:
    """What stands before ``://``, in lower case; ``""`` for a path.

    >>> scheme_of("postgresql+psycopg://host/shop"), scheme_of("telco.csv")
    ('postgresql+psycopg', '')
    """
    found = _SCHEME.match(address)
    return found.group(1).lower() if found else ""


def is_url(address: str) -> bool:
    """True for an address with a scheme, which is never looked up below the project's folder."""
    return scheme_of(address) != ""


def holds_password(address: str) -> bool:
    """True if an address holds a password itself, instead of the name of an environment variable.

    >>> holds_password("postgresql://ann:x1@host/db"), holds_password("postgresql://ann:${PASSWORD}@host/db")
    (True, False)
    """
    written = [*_LOGIN.findall(address), *_ARGUMENT.findall(address)] if is_url(address) else []
    return any(secret and not _VARIABLE.fullmatch(unquote(secret)) for secret in written)


def without_password(address: str) -> str:
    """``address`` with everything left out that may be secret: login and arguments.

    >>> without_password("postgresql://ann:x1@host/db?sslpassword=x2")
    'postgresql://…@host/db'
    """
    bare = re.sub(r"[?;].*", "", address, flags=re.DOTALL)
    return re.sub(r"://.*@", "://…@", bare, flags=re.DOTALL)


def fill_in(address: str) -> tuple[str, tuple[str, ...]]:
    """``address`` with ``${NAME}`` replaced by environment variables, and the values, which nobody may see.

    Raises
    ------
    ConfigError
        If a variable is not set.
    """
    names = _VARIABLE.findall(address)
    for name in names:
        if not os.environ.get(name):
            raise ConfigError(
                f"the environment variable {name} is not set",
                where=address,
                cure=f"Set it before the command: export {name}=…",
            )
    return _VARIABLE.sub(lambda found: os.environ[found.group(1)], address), tuple(os.environ[name] for name in names)
