-- Question: what are the metrics of work in every scope and window, computed from the tickets of the latest snapshot?
--           The numbers are those of `metric_points`, to the last digit. What is not known has no row.
-- Columns:
--   metric  name, as in metric_definitions
--   stat  value, p50, p85 or p95
--   scope_kind  org, team or initiative
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
ticket_scope as (
    select ticket.*, unnest(list_filter([
        {'scope_kind': 'org', 'scope': 'all'},
        {'scope_kind': 'team', 'scope': team},
        {'scope_kind': 'initiative', 'scope': initiative}
    ], lambda each: each.scope is not null), recursive := true)
    from (select team, initiative, canonical_type, canonical_status, started_at, finished_at, finish, flow_time, active_time,
              waiting_time, blocked_time, moves, reasoned
          from tickets where not deleted) as ticket
),
finished as (
    select * from ticket_scope join in_window on day_of(finished_at) between first_day and last_day
    where finish = 'done'
),
summed as (
    select scope_kind, scope, window_days, sum(moves) as moves, sum(reasoned) as reasoned,
        count(active_time + waiting_time) as timed,
        sum(round(active_time * 1000)::bigint) filter (waiting_time is not null) as active,
        sum(round(waiting_time * 1000)::bigint) filter (active_time is not null) as waiting
    from finished
    group by all
),
measured as (
    unpivot (select scope_kind, scope, window_days, flow_time, blocked_time from finished)
    on flow_time, blocked_time into name metric value span
    union all by name
    select 'open_work' as metric, scope_kind, scope, null as window_days, seconds(started_at, instant) as span
    from ticket_scope, moment
    where started_at <= instant and finished_at is null and knows_open
),
sorted as (
    select metric, scope_kind, scope, window_days, list(span order by span) as spans, count(*) as n
    from measured
    group by all
),
point as (
    select 'flow_efficiency' as metric, 'value' as stat, scope_kind, scope, window_days,
        active / (active + waiting) as value, timed as n, 'ratio' as unit
    from summed where active + waiting > 0
    union all
    select 'reasoned_moves', 'value', scope_kind, scope, window_days, reasoned / moves, moves, 'ratio' from summed
    union all
    select 'unmapped_work', 'value', scope_kind, scope, null,
        count(*) filter ('unmapped' in (canonical_status, canonical_type)), count(*), 'count'
    from ticket_scope, moment where knows_open group by scope_kind, scope
    union all
    select metric, 'value', scope_kind, scope, window_days, n, n, 'count' from sorted where metric = 'open_work'
    union all
    select metric, share.stat, scope_kind, scope, window_days, quantile_of(spans, share.share), n, 'seconds'
    from sorted, (values ('p50', 0.50), ('p85', 0.85), ('p95', 0.95)) as share(stat, share)
    where not (metric = 'open_work' and share.stat = 'p95')
)
select metric, stat, scope_kind, scope, window_days, rounded(value) as value, n::bigint as n, unit
from point
where n > 0
    and ($scope_kind::varchar is null or scope_kind = $scope_kind::varchar)
    and ($scope::varchar is null or scope = $scope::varchar)
    and ($window_days::integer is null or window_days is null or window_days = $window_days::integer)
order by scope_kind, scope, metric, window_days nulls first, stat;
