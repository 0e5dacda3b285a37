-- Question: what are the metrics of waits and decisions in every scope and window, computed from the waits of the latest
--           snapshot? The numbers are those of `metric_points`, to the last digit. What is not known has no row.
-- Columns:
--   metric  name, as in metric_definitions
--   stat  value, p50, p85 or p95
--   scope_kind  org, team (that waits), initiative, pair (consumer > provider) or mode (of interaction)
--   scope  name within the kind of scope
--   window_days [days]  length of the window; null: not windowed
--   value [unit]  the number, in the unit of the column `unit`
--   n [items]  how many items it rests on
--   unit  seconds, ratio or count
-- Parameters:
--   as_of = null  end of the windows; null: as of the snapshot; before that, what was open is not known
--   scope_kind = null  only this kind of scope
--   scope = null  only this scope
--   window_days = null  only this window, and what is not windowed

with moment as (from moment($as_of::timestamptz)),
in_window as (from windows($as_of::timestamptz)),
named(kind, latency_metric, open_metric) as (
    values ('dependency', 'dependency_latency', 'open_dependencies'), ('review', 'review_wait', 'open_reviews'),
        ('handoff', 'handoff_wait', 'open_handoffs'), ('decision', 'decision_latency', 'open_decisions')
),
wait_scope as (
    select wait.*, unnest(list_filter([
        {'scope_kind': 'org', 'scope': 'all'},
        {'scope_kind': 'team', 'scope': consumer},
        {'scope_kind': 'initiative', 'scope': initiative},
        {'scope_kind': 'pair', 'scope': case when cross_team then consumer || ' > ' || provider end},
        {'scope_kind': 'mode', 'scope': case when cross_team then mode end}
    ], lambda each: each.scope is not null), recursive := true)
    from (select kind, latency_metric, open_metric, consumer, provider, cross_team, mode, initiative, opened_at, due_at, ended_at,
              "end", latency, discovery_lag
          from waits join named using (kind)
          where excluded is null and (cross_team or kind = 'decision')) as wait
),
ended as (
    select * from wait_scope join in_window on day_of(ended_at) between first_day and last_day
),
begun as (
    select * from wait_scope join in_window on day_of(opened_at) between first_day and last_day
    where discovery_lag is not null
),
still_open as (
    select wait_scope.*, instant, seconds(opened_at, instant) as age, seconds(due_at, instant) as overdue
    from wait_scope, moment
    where ended_at is null and knows_open
),
measured as (
    select latency_metric as metric, scope_kind, scope, window_days, latency as span from ended where latency is not null
    union all
    select 'dependency_wait', scope_kind, scope, window_days, latency
    from ended, moment where kind = 'dependency' and latency is not null and knows_open
    union all
    select 'dependency_wait', scope_kind, scope, window_days, age
    from still_open, in_window where kind = 'dependency' and opened_at <= instant
    union all
    select 'discovery_lag', scope_kind, scope, window_days, discovery_lag from begun
    union all
    select open_metric, scope_kind, scope, null, age from still_open where opened_at <= instant
),
sorted as (
    select metric, scope_kind, scope, window_days, list(span order by span) as spans, count(*) as n
    from measured
    group by all
),
debt as (
    select scope_kind, scope, count(*) as n, count(*) filter (overdue > 0) as overdue_waits,
        coalesce(sum(round(overdue * 1000)::bigint) filter (overdue > 0), 0) / 1000 as overdue
    from still_open where due_at is not null
    group by all
),
point as (
    select 'late_discovery_rate' as metric, 'value' as stat, scope_kind, scope, window_days,
        count(*) filter (discovery_lag > 0) / count(*) as value, count(*) as n, 'ratio' as unit
    from begun group by all
    union all
    select 'handoff_return_rate', 'value', scope_kind, scope, window_days, count(*) filter ("end" = 'returned') / count(*),
        count(*), 'ratio'
    from ended where kind = 'handoff' group by scope_kind, scope, window_days
    union all
    select 'coordination_debt', 'value', scope_kind, scope, null, overdue, n, 'seconds' from debt
    union all
    select 'overdue_waits', 'value', scope_kind, scope, null, overdue_waits, n, 'count' from debt
    union all
    select metric, 'value', scope_kind, scope, window_days, n, n, 'count' from sorted where starts_with(metric, 'open_')
    union all
    select metric, share.stat, scope_kind, scope, window_days, quantile_of(spans, share.share), n, 'seconds'
    from sorted, (values ('p50', 0.50), ('p85', 0.85), ('p95', 0.95)) as share(stat, share)
    where not (starts_with(metric, 'open_') and share.stat = 'p95')
)
select metric, stat, scope_kind, scope, window_days, rounded(value) as value, n, unit
from point
where ($scope_kind::varchar is null or scope_kind = $scope_kind::varchar)
    and ($scope::varchar is null or scope = $scope::varchar)
    and ($window_days::integer is null or window_days is null or window_days = $window_days::integer)
order by scope_kind, scope, metric, window_days nulls first, stat;
