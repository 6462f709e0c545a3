"""Packages of earlier protocols: kept as they were built then, and read by every later version."""

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
from tests.archives import unpack

from modelyard.core import IntegrityError
from modelyard.packaging import MANIFEST_FILE, PROTOCOL, Scorer, load_package
from modelyard.packaging.verification import Outcome, verify_package
from modelyard.packaging.verification.records import Verification

KEPT = Path(__file__).parents[1] / "data" / "packages"


@pytest.fixture(params=sorted(KEPT.glob("protocol-*.tar.gz")), ids=lambda path: path.name.partition(".")[0])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A package that an earlier version built."""
    unpack(request.param, tmp_path / "kept")
    return tmp_path / "kept"


def test_a_package_of_every_earlier_protocol_is_kept() -> None:
    """Whoever raises the number keeps a package of the old one: `python scripts/keep_package.py` before."""
    numbers = {int(path.name.removeprefix("protocol-").removesuffix(".tar.gz")) for path in KEPT.iterdir()}

    assert numbers >= set(range(1, PROTOCOL))


def test_an_old_package_answers_as_it_did(kept: Path) -> None:
    """Its golden rows, gaps and unseen categories among them, within 1e-9 of what training said then."""
    scorer = Scorer.load(kept)
    parity = scorer.verify_golden()

    assert parity.rows > 50
    assert parity.ok
    assert parity.max_abs_difference <= 1e-9
    assert scorer.decide(scorer.score_rows([{"tenure": 1, "Contract": "Month-to-month"}])) == ["Yes"]
    assert scorer.decide(scorer.score_rows([{"tenure": 70, "Contract": "Two year"}])) == ["No"]


def test_an_old_package_is_verified_like_a_new_one(kept: Path) -> None:
    """Every check passes; its card lacks what nobody filled in then."""
    result = verify_package(kept)

    assert result.ok
    assert {check.outcome for check in result.checks} == {Outcome.PASSED, Outcome.INCOMPLETE}
    assert Verification.from_dict(result.to_dict()) == result


def test_the_digest_of_an_old_package_is_what_it_was(kept: Path) -> None:
    """Fields that came later are not in it: the digest is that of the manifest's own JSON."""
    content = json.loads((kept / MANIFEST_FILE).read_text())
    said = content.pop("digest")
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert hashlib.sha256(canonical.encode()).hexdigest() == said == load_package(kept).manifest.expected_digest()


def test_a_newer_protocol_is_refused_in_one_sentence(kept: Path) -> None:
    """By loading and by verifying alike: this version cannot know what such a package means."""
    manifest = load_package(kept).manifest
    newer = dataclasses.replace(manifest, protocol=PROTOCOL + 1).sealed()
    (kept / MANIFEST_FILE).write_text(json.dumps(newer.to_dict()))

    for read in (load_package, verify_package):
        with pytest.raises(IntegrityError, match=f"newer than this version.* got protocol {PROTOCOL + 1}") as caught:
            read(kept)
        assert caught.value.sentence.count("\n") == 0
        assert caught.value.cure == "Upgrade modelyard"
