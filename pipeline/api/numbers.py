"""`/api/v1/metrics` and `/api/v1/catalogue`: the numbers as every other surface shows them, and what they mean."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipeline.api.paging import decode_cursor, encode_cursor, etag_of, fresh, not_modified
from pipeline.api.problems import RESPONSES
from pipeline.api.services import Services
from pipeline.events.times import EPOCH, from_us
from pipeline.exporter.model import ReadModel
from pipeline.metrics.catalogue import BY_NAME, CATALOGUE, SCOPE_KINDS, WINDOWS, MetricPoint


class Key(NamedTuple):
    """What points are sorted by; one that follows on the next page is beyond it."""

    scope_kind: str
    scope: str
    metric: str
    window_days: int
    stat: str


class Place(NamedTuple):
    """Where the statistics of one metric are."""

    scope_kind: str
    scope: str
    metric: str
    window_days: int | None


class Point(BaseModel):
    """One number. `window_days` None: not windowed, it looks at all that is open. `n`: observations it is made of."""

    metric: str
    stat: str
    scope_kind: str
    scope: str
    window_days: int | None
    value: float
    unit: str
    n: int
    as_of: datetime


class Companion(BaseModel):
    """A metric that must be shown with another and has no data in its place."""

    metric: str
    scope_kind: str
    scope: str
    window_days: int | None


class Points(BaseModel):
    """A page. What has no data is absent, never 0. `beside` holds what must be shown with `items` and is not in them.

    `unknown` names what must be shown with `items` and has no data. `as_of` is None before the first event. `position`
    is the offset of the last event in the numbers; pages that differ in it are from different states. `next` is the
    cursor of the next page, None on the last.
    """

    as_of: datetime | None
    position: int
    items: list[Point]
    beside: list[Point]
    unknown: list[Companion]
    next: str | None


class Definition(BaseModel):
    """What a metric means. `unit` is that of its value; the percentiles of a count are ages in seconds."""

    name: str
    title: str
    help: str
    unit: str
    stats: list[str]
    windowed: bool
    beside: list[str]
    source: str


class Catalogue(BaseModel):
    """All metrics, windows in days and kinds of scopes that there are."""

    metrics: list[Definition]
    windows: list[int]
    scope_kinds: list[str]


class Selection(BaseModel):
    """Which points are asked for; None: all."""

    scope_kind: str | None = None
    scope: str | None = None
    metric: str | None = None
    window: int | None = None

    def check(self) -> None:
        """Answer 422 if it names what does not exist, with the names that do."""
        _one_of("metric", self.metric, BY_NAME)
        _one_of("scope_kind", self.scope_kind, SCOPE_KINDS)
        _one_of("window", self.window, WINDOWS)

    def takes(self, point: MetricPoint) -> bool:
        """Tell whether a point is asked for; one that is not windowed is part of every window."""
        return (
            self.scope_kind in (None, point.scope_kind)
            and self.scope in (None, point.scope)
            and self.metric in (None, point.metric)
            and (point.window_days is None or self.window in (None, point.window_days))
        )


_Metric = Annotated[str | None, Query(json_schema_extra={"enum": list(BY_NAME)})]
_ScopeKind = Annotated[str | None, Query(json_schema_extra={"enum": list(SCOPE_KINDS)})]
_Window = Annotated[int | None, Query(description="Days.", json_schema_extra={"enum": list(WINDOWS)})]
_AsOf = Annotated[AwareDatetime | None, Query(description="End of the windows; the latest event if absent.")]
_Limit = Annotated[int, Query(ge=1, le=5_000)]


def numbers(services: Services) -> APIRouter:
    """Return the routes of the numbers."""
    router = APIRouter(prefix="/api/v1", tags=["metrics"], responses=RESPONSES)

    @router.get("/metrics", summary="Metrics by scope and window", response_model=Points)
    async def list_metrics(  # noqa: PLR0913, PLR0917 - one a query parameter
        request: Request,
        response: Response,
        scope_kind: _ScopeKind = None,
        scope: str | None = None,
        metric: _Metric = None,
        window: _Window = None,
        as_of: _AsOf = None,
        cursor: str | None = None,
        limit: _Limit = 500,
    ) -> Points | Response:
        selection = Selection(scope_kind=scope_kind, scope=scope, metric=metric, window=window)
        selection.check()
        after = None if cursor is None else decode_cursor(cursor, Key)
        model = await _model(services, as_of)
        if fresh(request, response, etag_of(model.position, model.sequence, model.as_of)):
            return not_modified(response)
        return await run_in_threadpool(_page, model, selection, after, limit)

    @router.get("/catalogue", summary="What the metrics mean")
    async def list_catalogue() -> Catalogue:
        return Catalogue(
            metrics=[
                Definition(
                    name=each.name,
                    title=each.title,
                    help=each.help,
                    unit=each.unit,
                    stats=list(each.stats),
                    windowed=each.windowed,
                    beside=list(each.beside),
                    source=each.source,
                )
                for each in CATALOGUE
            ],
            windows=list(WINDOWS),
            scope_kinds=list(SCOPE_KINDS),
        )

    return router


async def _model(services: Services, as_of: datetime | None) -> ReadModel:
    """Return what was published, or, for another instant, what is computed for this request alone."""
    if as_of is None:
        published = services.follower.model
        if published is None:
            raise HTTPException(503, "the log is still being read; /readyz tells how far it is", {"Retry-After": "5"})
        return published
    if not EPOCH <= as_of < EPOCH.replace(year=9000):
        raise HTTPException(422, f"as_of: {as_of.isoformat()} is not between the years 1970 and 9000")
    return await run_in_threadpool(services.reader.at, as_of)


def _page(model: ReadModel, selection: Selection, after: Key | None, limit: int) -> Points:
    chosen = [point for point in model.points if selection.takes(point) and (after is None or _key(point) > after)]
    items = chosen[:limit]
    wanted = _companions(items)
    return Points(
        as_of=model.as_of,
        position=model.position,
        items=_told(items),
        beside=_told(_beside(items, model.points, wanted)),
        unknown=_unknown(model.points, wanted),
        next=encode_cursor(_key(items[-1])) if len(chosen) > limit else None,
    )


def _companions(items: Iterable[MetricPoint]) -> set[Place]:
    """Return where the points are without which `items` would mislead: throughput without instability, for instance.

    They have the scope of an item, and its window unless they look at all that is open.
    """
    return {
        Place(point.scope_kind, point.scope, name, point.window_days if BY_NAME[name].windowed else None)
        for point in items
        for name in BY_NAME[point.metric].beside
    }


def _beside(
    items: Sequence[MetricPoint], points: Iterable[MetricPoint], wanted: Collection[Place]
) -> list[MetricPoint]:
    shown = {_key(point) for point in items}
    return [point for point in points if _place(point) in wanted and _key(point) not in shown]


def _unknown(points: Iterable[MetricPoint], wanted: Collection[Place]) -> list[Companion]:
    known = {_place(point) for point in points}
    return [
        Companion(metric=place.metric, scope_kind=place.scope_kind, scope=place.scope, window_days=place.window_days)
        for place in sorted(wanted, key=lambda each: (*each[:3], each.window_days or 0))
        if place not in known
    ]


def _place(point: MetricPoint) -> Place:
    return Place(point.scope_kind, point.scope, point.metric, point.window_days)


def _key(point: MetricPoint) -> Key:
    return Key(point.scope_kind, point.scope, point.metric, point.window_days or 0, point.stat)


def _told(points: Iterable[MetricPoint]) -> list[Point]:
    return [
        Point(
            metric=point.metric,
            stat=point.stat,
            scope_kind=point.scope_kind,
            scope=point.scope,
            window_days=point.window_days,
            value=point.value,
            unit=point.unit,
            n=point.n,
            as_of=from_us(point.as_of),
        )
        for point in points
    ]


def _one_of(field: str, value: str | int | None, known: Collection[str] | Collection[int]) -> None:
    if value is not None and value not in known:
        raise HTTPException(
            422, f"{field}: {value!r} does not exist; there are: {', '.join(str(each) for each in known)}"
        )
