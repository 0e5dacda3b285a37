-- Question: how much comes from assistants, and how much of that refers to a canonical initiative, in every scope and window?
--           The numbers are those of `metric_points`, to the last digit. What is not known has no row.
-- Columns:
--   metric  name, as in metric_definitions
--   stat  value
--   scope_kind  org, team, service or initiative
--   scope  name within the kind of scope
--   window_days [days]  length of the window
--   value [ratio]  the number
--   n [items]  how many items it rests on
--   unit  ratio
-- Parameters:
--   as_of = null  end of the windows; null: as of the snapshot
--   scope_kind = null  only this kind of scope
--   scope = null  only this scope
--   window_days = null  only this window

with item as (
    select 'assisted_share' as metric, day_of(deployed_at) as day, assistant is not null as counts, unnest(list_filter([
        {'scope_kind': 'org', 'scope': 'all'},
        {'scope_kind': 'team', 'scope': team},
        {'scope_kind': 'service', 'scope': service},
        {'scope_kind': 'initiative', 'scope': case when confidence in ('declared', 'linked') then initiative end}
    ], lambda each: each.scope is not null), recursive := true)
    from changes where deployed_at is not null and excluded is null
    union all
    select 'context_integrity', day_of(proposed_at), status = 'linked', unnest(list_filter([
        {'scope_kind': 'org', 'scope': 'all'},
        {'scope_kind': 'initiative', 'scope': initiative}
    ], lambda each: each.scope is not null), recursive := true)
    from artifacts
)
select metric, 'value' as stat, scope_kind, scope, window_days, rounded(count(*) filter (counts) / count(*)) as value, count(*) as n,
    'ratio' as unit
from item join windows($as_of::timestamptz) on day between first_day and last_day
where ($scope_kind::varchar is null or scope_kind = $scope_kind::varchar)
    and ($scope::varchar is null or scope = $scope::varchar)
    and ($window_days::integer is null or window_days = $window_days::integer)
group by all
order by scope_kind, scope, metric, window_days;
