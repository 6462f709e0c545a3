"""How candidates are searched: families and estimators, spaces, budget, and what else is tried."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, Field, JsonValue, model_validator

from modelyard.problem.families import DEFAULT_FAMILIES, FAMILY_NAMES, known_families
from modelyard.problem.sections.strict import Strict
from modelyard.problem.suggestion import did_you_mean

__all__ = ["CustomEstimator", "SearchRange", "TrainingPlan"]

_SECONDS = {"h": 3600, "m": 60, "s": 1}


class CustomEstimator(Strict):
    """An estimator with scikit-learn's API that is tried like a family's default."""

    path: str = Field(
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$",
        description="Dotted path of the class: sklearn.ensemble.HistGradientBoostingClassifier.",
    )
    params: dict[str, Any] = Field(default_factory=dict, description="Arguments of its constructor.")
    style: Literal["linear", "tree", "forest", "distance"] = Field(
        default="linear",
        description="How columns are encoded for it: linear or distance (no gaps, one scale), tree (gaps stay), forest (no gaps).",
    )


class SearchRange(Strict):
    """Bounds between which tuning may choose a parameter."""

    low: int | float = Field(description="Lowest value.")
    high: int | float = Field(description="Highest value.")
    log: bool = Field(default=False, description="Whether ratios matter rather than differences.")
    whole: bool | None = Field(
        default=None,
        description="Whether it is an integer; by default if the family's own is, or both bounds are written so.",
    )

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}; one value belongs to training.params")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range must begin above 0, not at {self.low:g}")
        if self.whole and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise ValueError("the bounds of whole numbers must be whole")
        return self


class TrainingPlan(Strict):
    """How candidates are searched."""

    seed: int = Field(default=0, ge=0, description="Root of all seeds.")
    folds: Annotated[int, Field(ge=2, le=20)] | Literal["auto"] = Field(
        default="auto",
        description="Cross-validation folds within the training part. auto: five; with a budget three from 20,000 rows on, unless "
        "they follow one another in time or keep groups whole.",
    )
    families: tuple[str, ...] | Literal["auto"] = Field(
        default="auto",
        description=f"Model families to try, simple first: {', '.join(FAMILY_NAMES)}, or one that an installed package "
        f"registers. auto: {', '.join(DEFAULT_FAMILIES)}; with a budget all of the portfolio.",
    )
    custom: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")], CustomEstimator] = Field(
        default_factory=dict,
        description="Estimators of one's own, tried beside the families: a name, and the class.",
    )
    tuning_rounds: int = Field(
        default=8,
        ge=0,
        description="Configurations of the leading family that tuning may try; halving tries several times as many on fewer "
        "rows, for the same work.",
    )
    search: Literal["bayesian", "random", "grid", "halving"] = Field(
        default="bayesian",
        description="How tuning searches: bayesian (Optuna), random, grid (all combinations of the values in training.space), "
        "or halving (many configurations on few rows, the best third on three times as many, the last on all).",
    )
    space: dict[str, dict[str, SearchRange | Annotated[tuple[JsonValue, ...], Field(min_length=1)]]] = Field(
        default_factory=dict,
        description="What tuning may choose, by family: lightgbm: {num_leaves: [15, 31, 63], learning_rate: {low: 0.01, "
        "high: 0.3, log: true}}. Takes the place of these dimensions of the family's own space; the others stay.",
    )
    params: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict,
        description="Parameters that are fixed and not tuned, by family: lightgbm: {max_depth: 6}.",
    )
    budget: Annotated[str, Field(pattern=r"^(\d+(h|m|s))+$")] | None = Field(
        default=None,
        description="Time that training may use: 60s, 5m, 1h30m. A portfolio of proven configurations is tried as far as "
        "it goes; without one, the families' defaults and some tuning.",
    )
    prefer: Literal["auto", "simple", "best"] = Field(
        default="auto",
        description="simple: of candidates within one standard error of the best the simplest wins; best: the best itself; "
        "auto: best if there is a budget, else simple.",
    )
    blend: bool = Field(default=True, description="Whether a weighted mean of the best candidates is a candidate too.")
    workers: int | None = Field(default=None, ge=1, description="Worker processes; by default one per core.")
    unit_minutes: float | None = Field(
        default=60,
        gt=0,
        description="Minutes after which a fit that has not ended is ended with its worker process: one candidate on one "
        "fold, or the winner on all rows. null for no limit; needs worker processes, so not in_process.",
    )
    executor: str | None = Field(
        default=None,
        description="Where candidates are fitted: local_pool (worker processes, the default), in_process, ray, or another "
        "registered executor.",
    )
    address: str | None = Field(
        default=None,
        description="Of the Ray cluster: ray://host:10001, host:6379 or auto; without it Ray works on this machine.",
    )
    learning_curve: Literal["auto"] | bool = Field(
        default="auto",
        description="Whether the winner is drawn by the number of rows; auto does so where it adds a fifth to training at most.",
    )
    validation_curve: Literal["auto"] | bool = Field(
        default="auto",
        description="Whether trials of tuning are fitted again and judged on the rows learnt from, to see over- and underfitting by "
        "the parameter that matters most; auto does so where it adds a fifth to training at most.",
    )
    imbalance: Literal["auto"] | bool = Field(
        default="auto",
        validation_alias=AliasChoices("imbalance", "class_weights"),
        description="Whether the winner is compared with itself under class weights, SMOTE and under-sampling (the last two "
        "need the extra imbalance); auto does so where a class has less than 30 % of the rows (of k classes: 60 % of an even "
        "share) and it is cheap. "
        "class_weights is its older name.",
    )
    nested: int | None = Field(
        default=None,
        ge=2,
        le=20,
        description="Nested cross-validation in so many outer parts, typically 5: the whole search is carried out again on the "
        "rows outside of each part, and its winner is scored on the part. Costs about as many searches more; a budget is shared out among them.",
    )
    repeats: Literal["auto"] | Annotated[int, Field(ge=1, le=10, strict=True)] = Field(
        default=1,
        description="Divisions into folds on which candidates within noise of the best are scored; the choice is made on the "
        "mean. auto: three where they are needed and rows are few. Not with folds in time. A budget pays for them too.",
    )
    seeds: Literal["auto"] | Annotated[int, Field(ge=1, le=10, strict=True)] = Field(
        default=1,
        description="Seeds with which the winner is fitted and averaged; its spread by seed is measured. auto: three are "
        "measured, and averaged if that spread is large. Deterministic models are not repeated. A budget pays for them too.",
    )
    fits: Literal["auto"] | Annotated[int, Field(ge=1, le=10, strict=True)] = Field(
        default="auto",
        description="How often the winner is fitted on all rows, each time with another seed; the model is the mean, and takes so "
        "much longer to answer. auto: once; with a budget as often as time is left for, five times at most, and no more "
        "than a row is answered within about a millisecond. Unlike training.seeds it scores nothing again.",
    )

    resampling: Literal["none", "weights", "smote", "under", "auto"] = Field(
        default="none",
        description="How uneven classes are made even for learning, by every candidate: class weights, SMOTE or "
        "under-sampling (the last two need the extra imbalance); auto: the winner tries them, and the best may take its place if "
        "its gain exceeds its standard error. Probabilities are set back to the true shares.",
    )

    @property
    def usual_folds(self) -> int:
        """Folds where nothing else counts: the number that is named, else five."""
        return 5 if self.folds == "auto" else self.folds

    @property
    def named_families(self) -> tuple[str, ...]:
        """The families that the project file names; empty for ``auto``."""
        return self.families if isinstance(self.families, tuple) else ()

    @property
    def budget_s(self) -> float | None:
        """The budget in seconds; None if there is none."""
        if self.budget is None:
            return None
        return float(sum(int(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)(h|m|s)", self.budget)))

    @property
    def unit_s(self) -> float | None:
        """Seconds that one fit may take; None for no limit."""
        return None if self.unit_minutes is None else 60 * self.unit_minutes

    @model_validator(mode="before")
    @classmethod
    def _nothing_ends_the_process_itself(cls, declared: Any) -> Any:
        """With in_process nobody could keep the limit that there is by default, so there is none."""
        if isinstance(declared, dict) and declared.get("executor") == "in_process":
            return {"unit_minutes": None, **declared}
        return declared

    @model_validator(mode="after")
    def _units_can_be_ended(self) -> Self:
        if self.executor == "in_process" and self.unit_minutes is not None:
            raise ValueError(
                "unit_minutes: the executor in_process cannot end a fit, since it is the process itself. Take "
                "unit_minutes out, or take executor out, so that worker processes fit"
            )
        return self

    @model_validator(mode="after")
    def _families_are_known(self) -> Self:
        strangers = [name for name in (*self.named_families, *self.custom) if name not in FAMILY_NAMES]
        known = known_families() if strangers else FAMILY_NAMES
        for name in self.named_families:
            if name not in known:
                raise ValueError(f"there is no family {name!r}. {did_you_mean(name, known)}")
        for name in self.custom:
            if name in (*known, "naive", "existing"):
                raise ValueError(f"custom.{name}: this is the name of a family already; choose another")
        return self

    @model_validator(mode="after")
    def _search_is_possible(self) -> Self:
        named = [(key, name) for key in ("space", "params") for name in getattr(self, key)]
        strangers = [pair for pair in named if pair[1] not in (*FAMILY_NAMES, *self.custom)]
        known = (*known_families(), *self.custom) if strangers else ()
        for key, name in strangers:
            if name not in known:
                raise ValueError(f"{key}.{name}: there is no such family. {did_you_mean(name, known)}")
        if self.search == "grid" and self.budget is not None:
            raise ValueError("search: a grid is tried whole, and a budget would cut it short; leave one of them out")
        return self
