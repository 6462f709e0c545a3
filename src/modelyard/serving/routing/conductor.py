"""The conductor: every process follows the rollout; the one that has its lease looks, decides and writes down why."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from modelyard.core import LockedError, ModelyardError
from modelyard.rollout import (
    GOLDEN,
    Figure,
    Phase,
    Reading,
    State,
    StepKind,
    Verdict,
    abort,
    advance,
    is_due,
    judge,
    look,
)
from modelyard.serving.endpoint import ActiveModel, Endpoint, activate
from modelyard.serving.prediction_log import PredictionLog
from modelyard.serving.prediction_log.policy import Privacy
from modelyard.serving.roles import BASELINE, CANARY, SHADOW, STABLE
from modelyard.serving.routing.figures import figures_of, golden_figure
from modelyard.serving.routing.outcomes import Outcomes
from modelyard.serving.routing.router import Router, Routing
from modelyard.serving.routing.shadow import ShadowLane
from modelyard.serving.routing.source import RolloutSource
from modelyard.serving.settings import ServingSettings

if TYPE_CHECKING:
    from modelyard.governance import RolloutView

__all__ = ["Conductor"]

_logger = logging.getLogger("modelyard.serving")

_LEASE_KEPT_S = 1.0


class Conductor:
    """Looks again and again at the rollout under way. Used from the event loop, one look at a time.

    Every process divides requests as the latest change says. The one that has the lease lets time pass, judges what it
    counted itself, and enters the next state; when a version fails, its requests go to the champion before the ledger
    has heard of it.

    Parameters
    ----------
    endpoint
        Whose model is the champion.
    routing
        Where requests see the router.
    source
        The rollout, and where decisions go.
    settings
        The folder of the log.
    keep
        Is given the loaded version, so that its promotion need not load it again.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        routing: Routing,
        source: RolloutSource,
        settings: ServingSettings,
        *,
        keep: Callable[[ActiveModel], None],
    ) -> None:
        self._endpoint = endpoint
        self._routing = routing
        self._source = source
        self._settings = settings
        self._keep = keep
        self._rollout = ""
        self._refused = ""
        self._is_blind = False
        self._position = -1
        self._state = State(Phase.PAUSED)
        self._led_at: float | None = None
        self._seen_at = time.monotonic()

    async def look(self) -> None:
        """Look once: follow what was changed, and drive if nobody else does."""
        now, passed = time.monotonic(), time.monotonic() - self._seen_at
        self._seen_at = now
        try:
            view = await asyncio.to_thread(self._source.current)
            self._routing.broken_glass = self._source.broken_glass
            self._is_blind = False
            if view is None:
                await self._put_down()
                return
            await self._follow(view)
            if self._state.phase is Phase.ABORTED:
                await self._end(view, self._state.why, ())  # it could not be written down yet
            elif await self._leads(view, now):
                await self._drive(view, passed)
        except ModelyardError as error:
            if not self._is_blind:
                _logger.warning("the rollout cannot be followed, so nothing of it changes", extra={"why": str(error)})
            self._is_blind = True

    async def close(self) -> None:
        """End what the router began."""
        await self._put_down()

    # --- following ----------------------------------------------------------------------------------------------

    async def _follow(self, view: "RolloutView") -> None:
        """Divide as the latest change says; what this process decided itself and could not write yet stays."""
        if view.rollout.id != self._rollout:
            await self._put_down()
            self._rollout, self._position = view.rollout.id, -1
            self._routing.router = await self._taken_up(view)
        if view.position != self._position:
            is_new_step = (view.state.step, view.state.weight) != (self._state.step, self._state.weight)
            self._position, self._state, self._led_at = view.position, view.state, None
            if self._routing.router is not None:
                if is_new_step:
                    self._routing.router.begin_windows()
                self._routing.router.follow(view.state)

    async def _taken_up(self, view: "RolloutView") -> Router | None:
        """A router with the version loaded and verified; None if it cannot answer, and then the rollout ends."""
        try:
            folder = await asyncio.to_thread(self._source.package, view)
            model = await asyncio.to_thread(activate, folder, self._settings.log.also)
            self._refused = self._unfit(model, view)
        except ModelyardError as error:
            self._refused = error.sentence
        if self._refused:
            _logger.error("the version that is rolled out cannot be used", extra={"why": self._refused})
            return None
        self._keep(model)
        router = Router(view.rollout, model)
        if any(step.kind is StepKind.SHADOW for step in view.rollout.plan.steps):
            log = PredictionLog(self._settings.log_folder, columns=model.kinds)
            router.lane = ShadowLane(model, log, Privacy(self._settings.log, model.columns), router.hear)
        return router

    def _unfit(self, model: ActiveModel, view: "RolloutView") -> str:
        """Why a version cannot answer beside the champion; empty if it can."""
        champion = self._endpoint.active
        if model.digest != view.rollout.digest:
            return "the folder holds another package than the one that was approved"
        if not model.is_verified:
            return "it does not reproduce its golden rows"
        if (model.name, model.classes) != (champion.name, champion.classes):
            return f"it answers another question: {', '.join(model.classes) or 'a value'}"
        return ""

    async def _put_down(self) -> None:
        """Nothing is rolled out."""
        router, self._routing.router = self._routing.router, None
        self._rollout, self._led_at = "", None
        if router is not None:
            await asyncio.to_thread(router.close)

    # --- driving ------------------------------------------------------------------------------------------------

    async def _leads(self, view: "RolloutView", now: float) -> bool:
        """True if this process drives; who takes over from another one goes on where that one was."""
        if self._led_at is None or now - self._led_at >= _LEASE_KEPT_S:
            state = await asyncio.to_thread(self._source.lead, view, self._state)
            self._led_at = None if state is None else now
            if state is not None:
                self._state = state
        return self._led_at is not None

    async def _drive(self, view: "RolloutView", passed: float) -> None:
        """Let time pass, look if it is time, and enter what follows."""
        router, plan = self._routing.router, view.rollout.plan
        if router is None:
            await self._end(view, f"it cannot be used: {self._refused}", ())
            return
        if self._state.phase is Phase.PROMOTING:
            await self._complete(view)
            return
        state = advance(plan, self._state, passed)
        readings: tuple[Reading, ...] = ()
        if is_due(plan, state):
            state, readings = await self._looked(view, router, state)
        if state.phase is Phase.ABORTED:
            await self._end(view, state.why, readings)
        elif state.is_same_place(self._state):
            self._state = state
        elif await asyncio.to_thread(self._source.change, view, state, readings):
            _logger.warning("the rollout goes on", extra=_told(view, state))

    async def _looked(self, view: "RolloutView", router: Router, state: State) -> tuple[State, tuple[Reading, ...]]:
        """A look; figures that had too few requests go on growing, the others begin anew."""
        plan = view.rollout.plan
        readings = judge(plan.analysis(state.step).guards, await self._figures(view, router, state))
        if not any(map(_lacks_requests, readings)) or any(reading.verdict is Verdict.FAILED for reading in readings):
            router.begin_windows()
        return look(plan, state, readings), readings

    async def _end(self, view: "RolloutView", why: str, readings: Sequence[Reading]) -> None:
        """Take every request back, now; then write down why."""
        state = abort(self._state, why)
        if self._routing.router is not None:
            self._routing.router.follow(state)
        self._state = state
        if await asyncio.to_thread(self._source.change, view, state, readings):
            self._routing.aborted += 1
            _logger.error("the rollout was aborted, the version before answers", extra=_told(view, state))

    async def _complete(self, view: "RolloutView") -> None:
        """Put the version into production; if that is refused, every request goes back."""
        try:
            await asyncio.to_thread(self._source.complete)
        except LockedError:  # somebody writes to the ledger: the next look tries again
            raise
        except ModelyardError as error:
            await self._end(view, f"it could not be promoted: {error.sentence}", ())

    async def _figures(self, view: "RolloutView", router: Router, state: State) -> dict[str, Figure]:
        """What was counted here, what the golden rows say, and what labels say, where a guard wants them."""
        tallies = router.tallies
        if router.share:
            other = tallies[BASELINE] if view.rollout.plan.has_baseline else tallies[STABLE]
            figures = figures_of(tallies[CANARY].window, other.window)
        else:
            figures = figures_of(tallies[SHADOW].window, tallies[STABLE].window)
        figures[GOLDEN] = golden_figure(await asyncio.to_thread(router.candidate.scorer.verify_golden))
        names = tuple(rule.name for rule in view.rollout.plan.analysis(state.step).guards if rule.alpha is not None)
        return figures if not names else {**figures, **await asyncio.to_thread(self._labelled, view, names)}

    def _labelled(self, view: "RolloutView", names: tuple[str, ...]) -> Mapping[str, Figure]:
        outcomes = Outcomes(self._settings.log_folder, self._source.costs, self._endpoint.active.classes)
        return outcomes.figures(names, view.rollout.digest, view.rollout.at)


def _lacks_requests(reading: Reading) -> bool:
    """True if a figure that rests on requests needs more of them."""
    from modelyard.problem.sections.deploy import LABEL_METRICS  # brings Pydantic along, which requests do not need

    return reading.verdict is Verdict.INCONCLUSIVE and reading.name not in (GOLDEN, *LABEL_METRICS)


def _told(view: "RolloutView", state: State) -> dict[str, object]:
    """For the process's log."""
    return {"version": view.rollout.version, "phase": state.phase.value, "weight": state.weight, "why": state.why}
