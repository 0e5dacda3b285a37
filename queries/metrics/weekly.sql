-- Question: how do throughput and instability move from week to week?
-- Columns:
--   scope_kind  org, team or service
--   scope  name within the kind of scope
--   week  Monday with which the week (UTC) begins; the last one may not be over
--   deployments [items]  successful production deployments
--   deployments_per_day [per day]  the same, per day of the week that is over
--   finished [items]  production deployments that succeeded or failed
--   change_fail_rate [ratio]  failed ones of the finished; null: none finished, or not known
--   failures_told  whether any source has ever told of a failure; false: the rate is not known, rather than 0
--   changes [items]  changes delivered that have a lead time
--   lead_time_p50 [seconds]  of these changes; null: none
--   lead_time_p85 [seconds]  of these changes; null: none
-- Parameters:
--   weeks = 12  how many weeks, the present one included
--   scope_kind = org  org, team or service
--   scope = null  only this scope

with last as (select (max_by(as_of, number) at time zone 'UTC')::date as day from snapshots),
week as (
    select unnest(generate_series(
        date_trunc('week', day) - ($weeks::integer - 1) * interval 7 day, date_trunc('week', day), interval 7 day))::date as week,
        least(week + 7, day + 1) - week as days
    from last
),
deployment as (
    select date_trunc('week', finished_at at time zone 'UTC')::date as week, outcome, failed,
        case $scope_kind::varchar when 'org' then 'all' when 'team' then team when 'service' then service end as scope
    from deployments where production and outcome in ('success', 'failure')
),
change as (
    select date_trunc('week', deployed_at at time zone 'UTC')::date as week, lead_time,
        case $scope_kind::varchar when 'org' then 'all' when 'team' then team when 'service' then service end as scope
    from changes where excluded is null and lead_time is not null
),
evidence as (
    select exists (from failures) or exists (from deployments where failed) as failures_told
),
scope as (
    select scope from deployment where scope is not null union select scope from change where scope is not null
),
run as (
    select scope, week, count(*) filter (outcome = 'success') as deployments, count(*) as finished,
        count(*) filter (failed) as failed
    from deployment group by all
),
work as (
    select scope, week, count(*) as changes, list(lead_time order by lead_time) as spans from change group by all
)
select $scope_kind::varchar as scope_kind, scope, week, coalesce(deployments, 0) as deployments,
    coalesce(deployments, 0) / days as deployments_per_day, coalesce(finished, 0) as finished,
    case when failures_told then failed / finished end as change_fail_rate, failures_told,
    coalesce(changes, 0) as changes,
    case when changes > 0 then rounded(quantile_of(spans, 0.5)) end as lead_time_p50,
    case when changes > 0 then rounded(quantile_of(spans, 0.85)) end as lead_time_p85
from scope cross join week cross join evidence
left join run using (scope, week)
left join work using (scope, week)
where week >= (select min(week) from (select week from deployment union all select week from change))
    and ($scope::varchar is null or scope = $scope::varchar)
order by scope, week;
