-- Question: what are the metrics of delivery in every scope and window, computed from the facts of the latest snapshot?
--           The numbers are those of `metric_points`, to the last digit. What is not known has no row: while no source
--           has told of any failure, deployment_frequency stands without change_fail_rate and deployment_rework_rate.
-- Columns:
--   metric  name, as in metric_definitions
--   stat  value, p50, p85 or p95
--   scope_kind  org, team, service or initiative
--   scope  name within the kind of scope
--   window_days [days]  length of the window; null: not windowed
--   value [unit]  the number, in the unit of the column `unit`
--   n [items]  how many items it rests on
--   unit  per_day, seconds, ratio or count
-- Parameters:
--   as_of = null  end of the windows; null: as of the snapshot; before that, what was open is not known
--   scope_kind = null  only this kind of scope
--   scope = null  only this scope
--   window_days = null  only this window, and what is not windowed

with moment as (from moment($as_of::timestamptz)),
in_window as (from windows($as_of::timestamptz)),
evidence as (
    select exists (from failures) or exists (from deployments where failed) as tells_failures
),
change_scope as (
    select change.*, day_of(deployed_at) as deployed_on, unnest(list_filter([
        {'scope_kind': 'org', 'scope': 'all'},
        {'scope_kind': 'team', 'scope': team},
        {'scope_kind': 'service', 'scope': service},
        {'scope_kind': 'initiative', 'scope': case when confidence in ('declared', 'linked') then initiative end}
    ], lambda each: each.scope is not null), recursive := true)
    from (select kind, team, service, confidence, initiative, status, excluded, created_at, authored_at, deployed_at,
              lead_time, coding_time, pickup_time, review_time, deploy_time from changes) as change
),
deployment_scope as (
    select deployment.*, day_of(finished_at) as finished_on,
        day_of(recovered_at) as recovered_on, unnest(list_filter(list_concat([
        {'scope_kind': 'org', 'scope': 'all'},
        {'scope_kind': 'team', 'scope': team},
        {'scope_kind': 'service', 'scope': service}
    ], list_transform(initiatives, lambda name: {'scope_kind': 'initiative', 'scope': name})),
        lambda each: each.scope is not null), recursive := true)
    from (select team, service, initiatives, outcome, failed, rework, trace, finished_at, recovered_at, recovery_time
          from deployments
          where production and finished_at is not null and outcome in ('success', 'failure')) as deployment
),
counted as (
    select scope_kind, scope, window_days, count(*) as finished, count(*) filter (outcome = 'success') as delivered,
        count(*) filter (failed) as failures, count(*) filter (rework) as reworks,
        count(*) filter (outcome = 'success' and trace = 'traced') as traced,
        count(*) filter (outcome = 'success' and trace = 'ambiguous') as ambiguous,
        count(*) filter (outcome = 'success' and trace = 'orphan') as orphans,
        traced + ambiguous + orphans as traceable
    from deployment_scope join in_window on finished_on between first_day and last_day
    group by all
),
measured as (
    unpivot (
        select scope_kind, scope, window_days, lead_time as change_lead_time, coding_time, pickup_time, review_time, deploy_time
        from change_scope join in_window on deployed_on between first_day and last_day
        where excluded is null
    )
    on change_lead_time, coding_time, pickup_time, review_time, deploy_time into name metric value span
    union all by name
    select 'failed_deployment_recovery_time' as metric, scope_kind, scope, window_days, recovery_time as span
    from deployment_scope join in_window on recovered_on between first_day and last_day
    where recovery_time is not null
    union all by name
    select 'open_changes' as metric, scope_kind, scope, null as window_days,
        seconds(coalesce(authored_at, created_at), instant) as span
    from change_scope, moment
    where kind = 'pull_request' and created_at is not null and deployed_at is null and status <> 'abandoned'
        and knows_open and coalesce(authored_at, created_at) <= instant
    union all by name
    select 'open_recoveries' as metric, scope_kind, scope, null as window_days, seconds(finished_at, instant) as span
    from deployment_scope, moment
    where failed and recovered_at is null and knows_open and finished_at <= instant
),
sorted as (
    select metric, scope_kind, scope, window_days, list(span order by span) as spans, count(*) as n
    from measured
    group by all
),
point as (
    select 'deployment_frequency' as metric, 'value' as stat, scope_kind, scope, window_days,
        delivered / window_days as value, delivered as n, 'per_day' as unit from counted
    union all
    select 'change_fail_rate', 'value', scope_kind, scope, window_days, failures / finished, finished, 'ratio'
    from counted, evidence where tells_failures
    union all
    select 'deployment_rework_rate', 'value', scope_kind, scope, window_days, reworks / finished, finished, 'ratio'
    from counted, evidence where tells_failures
    union all
    select 'traceability_coverage', 'value', scope_kind, scope, window_days, traced / traceable, traceable, 'ratio' from counted
    union all
    select 'orphan_deployments', 'value', scope_kind, scope, window_days, orphans, traceable, 'count' from counted
    union all
    select 'ambiguous_deployments', 'value', scope_kind, scope, window_days, ambiguous, traceable, 'count' from counted
    union all
    select metric, 'value', scope_kind, scope, window_days, n, n, 'count' from sorted where starts_with(metric, 'open_')
    union all
    select metric, share.stat, scope_kind, scope, window_days, quantile_of(spans, share.share), n, 'seconds'
    from sorted, (values ('p50', 0.50), ('p85', 0.85), ('p95', 0.95)) as share(stat, share)
    where not (starts_with(metric, 'open_') and share.stat = 'p95')
)
select metric, stat, scope_kind, scope, window_days, rounded(value) as value, n, unit
from point
where n > 0
    and ($scope_kind::varchar is null or scope_kind = $scope_kind::varchar)
    and ($scope::varchar is null or scope = $scope::varchar)
    and ($window_days::integer is null or window_days is null or window_days = $window_days::integer)
order by scope_kind, scope, metric, window_days nulls first, stat;
