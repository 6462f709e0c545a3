"""The notary of a ledger: signs its last row now and then, and says whether the ledger agrees with what was signed."""

import dataclasses
import datetime as dt
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.core import Clock, ConfigError, IntegrityError, system_clock
from modelyard.store.chain import Verification
from modelyard.store.checkpoints.keys import is_signed, public_key, sign
from modelyard.store.checkpoints.places import Place, place_of
from modelyard.store.checkpoints.records import Checkpoint
from modelyard.store.head import Head

if TYPE_CHECKING:
    from modelyard.problem.sections import CheckpointPlan

__all__ = ["Notary", "key_of", "notary_of"]

_KEY_VARIABLE = "MODELYARD_SIGNING_KEY"
_KEY = Path("~/.config/modelyard/signing.pem")


class Notary:
    """Checkpoints of one ledger.

    Parameters
    ----------
    places
        Where they are kept; each gets every one.
    key
        File of the private key. A machine without one signs nothing, and verifies all the same.
    plan
        How often, and whose signatures count.
    clock
        Gives the time of checkpoints.
    """

    def __init__(
        self, places: Sequence[Place], key: Path, plan: "CheckpointPlan", *, clock: Clock = system_clock
    ) -> None:
        self.key = key
        self._places = tuple(places)
        self._plan = plan
        self._clock = clock
        self._newest: Checkpoint | None = None

    def sign_if_due(self, last: Head) -> bool:
        """Sign the last row if enough rows or time have gone by since the newest checkpoint; returns whether it did.

        Raises
        ------
        ModelyardError
            If a place cannot be read or written.
        """
        if not self.key.exists():
            return False
        newest = self._newest or max(self._places[0].read(), key=lambda item: item.sequence, default=None)
        self._newest = newest
        if newest is not None and last.sequence - newest.sequence < self._plan.rows:
            is_early = self._clock() - newest.at < dt.timedelta(hours=self._plan.hours)
            if is_early or last.sequence <= newest.sequence:
                return False
        self.sign(last)
        return True

    def sign(self, last: Head) -> Checkpoint:
        """Sign a row, and keep the checkpoint in all places.

        Raises
        ------
        StateError
            If there is no key.
        ConfigError
            If the key is not among those that the project trusts.
        ModelyardError
            If a place takes nothing.
        """
        key = public_key(self.key)
        if self._plan.trust and key not in self._plan.trust:
            raise ConfigError(
                "the project does not trust this machine's key",
                where="store.checkpoints.trust",
                got=key,
                cure="Add it there, or sign on another machine",
            )
        bare = Checkpoint(last.sequence, last.hash, self._clock().astimezone(dt.UTC), key, "")
        checkpoint = dataclasses.replace(bare, signature=sign(bare.signed, self.key))
        for place in self._places:
            place.add(checkpoint)
        self._newest = checkpoint
        return checkpoint

    def attested(self) -> tuple[tuple[Checkpoint, ...], ...]:
        """The checkpoints of each place; their signatures hold, and their keys are trusted.

        Raises
        ------
        IntegrityError
            If a signature does not fit, or is by somebody else.
        ModelyardError
            If a place cannot be read, or nobody is trusted.
        """
        trusted = self._trusted()
        found = tuple(place.read() for place in self._places)
        for place, checkpoints in zip(self._places, found, strict=True):
            for checkpoint in checkpoints:
                if checkpoint.key not in trusted:
                    raise _forged(
                        "the checkpoint was signed by a key that the project does not trust", place, checkpoint
                    )
                if not is_signed(checkpoint.signed, checkpoint.signature, checkpoint.key):
                    raise _forged("the signature of the checkpoint does not fit", place, checkpoint)
        return found

    def confirm(
        self,
        found: Verification,
        attested: Sequence[Sequence[Checkpoint]],
        hash_of: Callable[[int], str | None],
    ) -> Verification:
        """What was found of a whole chain, held against its checkpoints."""
        newest = 0
        for place, checkpoints in zip(self._places, attested, strict=True):
            if not checkpoints and found.rows >= self._plan.rows:
                return found.unless(f"there is no checkpoint in {place.where}, though the ledger has {found.rows} rows")
            for checkpoint in checkpoints:
                if hash_of(checkpoint.sequence) != checkpoint.hash:
                    said = f"row {checkpoint.sequence} is not the one that was signed on {checkpoint.at:%Y-%m-%d %H:%M} UTC"
                    first = found.rows + 1 if checkpoint.sequence > found.rows else None
                    found = dataclasses.replace(found, first_bad_sequence=first)
                    return found.unless(f"{said}: the ledger was cut off or rewritten")
                newest = max(newest, checkpoint.sequence)
        count = sum(len(checkpoints) for checkpoints in attested)
        return dataclasses.replace(found, checkpoints=count, uncovered=found.rows - newest)

    def _trusted(self) -> frozenset[str]:
        if self._plan.trust or not self.key.exists():
            if not self._plan.trust:
                raise ConfigError(
                    "nobody's signature is trusted",
                    where="store.checkpoints.trust",
                    cure="Name public keys there; modelyard ledger key shows that of a machine",
                )
            return frozenset(self._plan.trust)
        return frozenset([public_key(self.key)])


def notary_of(plan: "CheckpointPlan", root: Path) -> Notary:
    """The notary that a project file asks for.

    Parameters
    ----------
    root
        The project's folder; paths are relative to it.
    """
    return Notary([place_of(address, root) for address in plan.to], key_of(plan, root), plan)


def key_of(plan: "CheckpointPlan", root: Path) -> Path:
    """The file of this machine's private key, whether it is there or not."""
    key = os.environ.get(_KEY_VARIABLE) or plan.key
    return root / Path(key).expanduser() if key else _KEY.expanduser()


def _forged(what: str, place: Place, checkpoint: Checkpoint) -> IntegrityError:
    return IntegrityError(
        what, where=place.where, got=f"row {checkpoint.sequence}", cure="Find out who wrote it; the ledger may be right"
    )
