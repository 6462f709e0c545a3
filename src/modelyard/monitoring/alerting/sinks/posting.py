"""One POST of JSON: a verified line, a time limit, no redirects, and an error that says what the other side said."""

import http.client
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from modelyard.core import ConfigError, ModelyardError
from modelyard.problem.address import fill_in, without_password
from modelyard.problem.sections import SinkPlan

__all__ = ["post", "trusted"]

_TRY_AGAIN = frozenset({408, 425, 429})
_SHOWN = 200


def post(plan: SinkPlan, root: Path, body: bytes, headers: Mapping[str, str]) -> None:
    """Send ``body`` to the plan's address.

    Raises
    ------
    ConfigError
        If a variable is not set, the address is none, or the other side refuses what it will always refuse.
    ModelyardError
        If it cannot be reached, or cannot take it now.
    """
    address, secrets = fill_in(plan.url or "")
    place = urlsplit(address)
    # A path may be the secret, as with Slack; the name of the machine is enough to find the fault.
    where = without_password(f"{place.scheme}://{place.hostname}") if secrets else without_password(address)
    if place.scheme not in ("http", "https") or not place.hostname:
        raise ConfigError("no address of the web", where="alerts.sinks", got=where, cure="Give https://… under 'url'")
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    connection = _connection(plan, root, place.scheme, place.hostname, place.port)
    try:
        connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
        with connection.getresponse() as answer:
            status, said = answer.status, answer.read(_SHOWN).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise ModelyardError(
            "the address cannot be reached",
            where=where,
            got=f"{type(error).__name__}: {error}"[:_SHOWN],
            cure="It is tried again with the next run; see that the other side is up",
        ) from error
    finally:
        connection.close()
    _check(status, "" if secrets else said, where)


def _connection(plan: SinkPlan, root: Path, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=plan.timeout_s)
    return http.client.HTTPSConnection(host, port, timeout=plan.timeout_s, context=trusted(plan, root))


def trusted(plan: SinkPlan, root: Path) -> ssl.SSLContext:
    """TLS with certificates checked against the system's authorities, or the one of the plan.

    Raises
    ------
    ConfigError
        If the plan's file cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=None if plan.ca is None else str(root / plan.ca))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "the authority's file cannot be read", where=str(plan.ca), got=str(error), cure="Give a PEM file under 'ca'"
        ) from error


def _check(status: int, said: str, where: str) -> None:
    """Let an answer pass that says that the message was taken."""
    if 200 <= status < 300:
        return
    got = f"status {status}" + (f": {said}" if said else "")
    if status >= 500 or status in _TRY_AGAIN:
        raise ModelyardError(
            "the other side cannot take the message now",
            where=where,
            got=got,
            cure="It is tried again with the next run",
        )
    raise ConfigError(
        "the other side refuses the message", where=where, got=got, cure="Look at the address and the key of the sink"
    )
