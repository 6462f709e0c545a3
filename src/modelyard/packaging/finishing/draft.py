"""A package before it is one: from files to the sealed manifest, in the same steps whatever the model."""

import abc
import dataclasses
import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard.core import StateError, atomic_directory
from modelyard.data import Split
from modelyard.features import FeatureEntry
from modelyard.packaging.card import CardFacts, ModelCard, card_page
from modelyard.packaging.finishing.details import BuildDetails
from modelyard.packaging.finishing.files import Content, seal, size_mb, write_files
from modelyard.packaging.finishing.opening import Origin, open_manifest
from modelyard.packaging.finishing.proofs import require_limits, require_parity
from modelyard.packaging.golden import Parity
from modelyard.packaging.latency import measure_package
from modelyard.packaging.package import Package, load_package
from modelyard.packaging.predictors import SkopsTrust
from modelyard.problem import Problem
from modelyard.report import render_html, render_markdown

__all__ = ["Draft"]


@dataclasses.dataclass(frozen=True)
class Draft(abc.ABC):
    """What goes into one package. Subclasses say what is their model's own.

    Parameters
    ----------
    split
        What the model was trained on; the sealed part is not touched.
    problem
        Names the model and its limits.
    version
        What the registry will call it.
    details
        See :class:`BuildDetails`.
    """

    split: Split
    problem: Problem
    version: str
    details: BuildDetails

    @property
    @abc.abstractmethod
    def origin(self) -> Origin:
        """What the model was made from."""

    @property
    @abc.abstractmethod
    def requirements(self) -> Mapping[str, str]:
        """Distributions that answering imports, with the versions at hand."""

    @property
    def skops(self) -> tuple[str, ...]:
        """Types that must be allowed before the model can be read; whoever builds has just written them, and knows them."""
        return ()

    @abc.abstractmethod
    def files(self, created_at: dt.datetime) -> Mapping[str, Content]:
        """All that answering and watching need: path within the package to content."""

    @abc.abstractmethod
    def prove(self, place: Path) -> tuple[Parity, Parity]:
        """Agreement of the written files with training: on the golden rows, and on rows scored as one table."""

    @abc.abstractmethod
    def features(self) -> tuple[FeatureEntry, ...]:
        """The feature catalogue."""

    @abc.abstractmethod
    def card(self, facts: CardFacts) -> ModelCard:
        """The card."""

    @abc.abstractmethod
    def metrics(self) -> Mapping[str, Any]:
        """The figures of the model for machines, JSON-ready."""

    def publish(self, folder: Path) -> Package:
        """Write everything but the card, then prove and measure, then write the card with what they showed.

        Parameters
        ----------
        folder
            Where the package shall lie; must not exist.

        Raises
        ------
        StateError
            If ``folder`` exists.
        GateRefusedError
            If parity fails or a limit is exceeded; nothing is published then.
        """
        if folder.exists():
            raise StateError(
                "there is a package already", where=str(folder), cure="Packages never change: choose another"
            )
        with atomic_directory(folder) as place:
            self._write(place)
        return load_package(folder)

    def _write(self, place: Path) -> None:
        created_at = self.details.clock()
        manifest = open_manifest(
            self.problem,
            self.version,
            self.origin,
            created_at,
            details=self.details,
            requirements=self.requirements,
            skops=self.skops,
        )
        write_files(place, self.files(created_at))
        seal(place, manifest)
        parity, on_table = self.prove(place)
        require_parity(parity, on_table)
        measurement = measure_package(place, SkopsTrust(self.skops))
        facts = CardFacts(
            problem=self.problem,
            split=self.split.record,
            manifest=manifest,
            features=self.features(),
            parity=parity,
            parity_on_table=on_table,
            measurement=measurement,
            model_mb=size_mb(place),
            openings=self.details.openings,
            decisions=self.details.decisions,
        )
        write_files(place, _card_files(self.card(facts)))
        write_files(place, {"metrics.json": {**self.metrics(), **facts.figures()}})
        require_limits(self.problem, measurement, size_mb(place))
        seal(place, manifest)


def _card_files(card: ModelCard) -> dict[str, Content]:
    """The record, and its two renderings."""
    page = card_page(card)
    return {"card.json": card.to_dict(), "card.md": render_markdown(page), "card.html": render_html(page)}
