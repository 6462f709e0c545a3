"""How OpenLineage names what lies outside of the project: a namespace for the place, a name within it."""

from pathlib import Path

from modelyard.problem.address import is_url, without_password

__all__ = ["Place", "place_of", "uri_of"]

Place = tuple[str, str]
"""Namespace and name."""


def place_of(address: str, root: Path) -> Place:
    """By the specification's rules of naming: ``file`` and the path, ``s3://bucket`` and the key, ``postgresql://host`` and the rest.

    >>> place_of("s3://shop/raw/churn.parquet", Path("/srv"))
    ('s3://shop', 'raw/churn.parquet')
    >>> place_of("churn.csv", Path("/srv/churn"))
    ('file', '/srv/churn/churn.csv')
    """
    if not is_url(address):
        return "file", _absolute(address, root)
    scheme, _, rest = without_password(address).partition("://")
    host, _, name = rest.removeprefix("…@").partition("/")
    return f"{scheme}://{host}", name or "/"


def uri_of(address: str, root: Path) -> str:
    """The address as a URI without login and arguments; of a file, its path."""
    namespace, name = place_of(address, root)
    return Path(name).as_uri() if namespace == "file" else f"{namespace}/{name.removeprefix('/')}"


def _absolute(path: str, root: Path) -> str:
    """A path that is meant from the project, without a look at the disk, which may have changed since."""
    return (root.absolute() / Path(path).expanduser()).as_posix()
