"""The guard: lets a request pass, or refuses it."""

import datetime as dt
import ipaddress
import logging
import math
import time
from collections.abc import Iterable
from typing import Any

from modelyard.core import ModelyardError
from modelyard.serving.access.keys import Caller, Keys, KeySource
from modelyard.serving.access.rates import Rates
from modelyard.serving.formats import RefusedRequestError

__all__ = ["Guard", "is_local"]

_logger = logging.getLogger("modelyard.serving")

_BEARER = b"bearer "
_LONGEST_KEY = 512
_MOST_KNOWN = 1_000


class Guard:
    """Knows who asks, what they may, and how often.

    Parameters
    ----------
    source
        The valid keys; None if nobody needs one.
    rates
        How often a caller may ask; None for no limit. Without keys a caller is an address.

    Raises
    ------
    ModelyardError
        If the keys cannot be read: a server does not begin without knowing whom to let in.
    """

    def __init__(self, source: KeySource | None = None, rates: Rates | None = None) -> None:
        self._source = source
        self._rates = rates
        self._keys = Keys(()) if source is None else source.load()
        self._known: dict[bytes, Caller] = {}
        self._is_blind = False

    @property
    def keys(self) -> int | None:
        """How many keys are valid; None if nobody needs one."""
        return None if self._source is None else len(self._keys)

    @property
    def is_open(self) -> bool:
        """True if nobody needs a key."""
        return self._source is None

    def refresh(self) -> None:
        """Read the keys again; if that fails those known before stay valid, which is said once."""
        if self._source is None:
            return
        try:
            keys = self._source.load()
            if keys is not self._keys:
                self._keys, self._known = keys, {}
            self._is_blind = False
        except ModelyardError as error:
            if not self._is_blind:
                _logger.warning("the keys cannot be read, those known before stay valid", extra={"why": str(error)})
            self._is_blind = True

    def admit(self, scope: Any, needs: str) -> None:
        """Let a request pass.

        Parameters
        ----------
        scope
            Of ASGI.
        needs
            What the route asks for: ``predict``, ``feedback``, ``operate``, ``key`` (any valid one) or ``""`` (nothing).

        Raises
        ------
        RefusedRequestError
            401 without a valid key, 403 if its holder may not, 429 if it asks too often.
        """
        if not needs or (self._source is None and self._rates is None):
            return
        name = _address(scope) if self._source is None else self._caller(scope["headers"], needs).name
        if self._rates is None:
            return
        wait_s = self._rates.wait_s(name, time.monotonic())
        if wait_s > 0:
            raise RefusedRequestError(
                429,
                "too-many-requests",
                "requests come faster than they are allowed to",
                cure=f"Wait {wait_s:.2g} s, or send several rows in one request",
                headers={"retry-after": str(math.ceil(wait_s))},
            )

    def _caller(self, headers: Iterable[tuple[bytes, bytes]], needs: str) -> Caller:
        """The holder of the request's key, who may do what the route needs."""
        key = _key(headers)
        caller = None if key is None else self._known.get(key) or self._holder(key)
        if caller is None or caller.expires_at <= dt.datetime.now(dt.UTC):
            raise _unknown("there is no key in the request" if key is None else "the key is not valid")
        if needs != "key" and needs not in caller.may:
            raise RefusedRequestError(
                403,
                "not-allowed",
                f"the key of {caller.name} does not allow this",
                cure=f"Ask the operator for a key with the role {needs}",
            )
        return caller

    def _holder(self, key: bytes) -> Caller | None:
        """Whose key it is; one that was found right is known at once the next time, until the keys change.

        Python finds it by a keyed hash of its own (SipHash), which says as little about the key by the time it takes.
        """
        caller = self._keys.holder(key)
        if caller is not None and len(self._known) < _MOST_KNOWN:
            self._known[key] = caller
        return caller


def is_local(host: str) -> bool:
    """True if only programs on the same machine reach this address.

    >>> is_local("127.0.0.1"), is_local("::1"), is_local("localhost"), is_local("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The key of ``Authorization: Bearer …`` or ``X-API-Key``; None if there is none."""
    for name, value in headers:
        if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            return value[len(_BEARER) :].strip()[:_LONGEST_KEY]
        if name == b"x-api-key":
            return value.strip()[:_LONGEST_KEY]
    return None


def _unknown(what: str) -> RefusedRequestError:
    return RefusedRequestError(
        401,
        "no-valid-key",
        what,
        cure="Send the header 'Authorization: Bearer KEY'; the operator makes keys: modelyard token NAME --role predict",
        headers={"www-authenticate": 'Bearer realm="modelyard"'},
    )


def _address(scope: Any) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
