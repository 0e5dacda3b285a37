-- Question: what are the metrics as of an instant, in each scope and window?
-- Reads:    audit_change, audit_deployment, audit_failure, log_end; the variable as_of_us (microseconds since 1970, UTC).
-- Gives:    audit_metric(metric, stat, scope_kind, scope, window_days, value, n); units by metric in `docs/definitions.md`:
--           rates and counts as such, times and ages in seconds. A metric with n = 0 has no row.

create or replace macro day_of(instant_us) as make_timestamp(instant_us)::date - date '1970-01-01';

create or replace table in_window as
select window_days, day_of(getvariable('as_of_us')) - window_days + 1 as first_day, day_of(getvariable('as_of_us')) as last_day
from (values (7), (28), (90)) as t(window_days);

-- Whether anything in the log tells of a failure, and whether what is open at that instant is what is open now.
create or replace table known as
select exists (from audit_failure) or exists (from audit_deployment where failed) as failures,
    coalesce(getvariable('as_of_us') >= (select as_of_us from log_end), true) as what_is_open;

create or replace table change_scope as
select scope.*, change.*
from audit_change as change, lateral (
    select unnest([
        {'scope_kind': 'org', 'scope': 'all'},
        {'scope_kind': 'team', 'scope': team},
        {'scope_kind': 'service', 'scope': service},
        {'scope_kind': 'initiative', 'scope': case when confidence in ('declared', 'linked') then initiative end}
    ], recursive := true)
) as scope
where scope.scope is not null;

create or replace table deployment_scope as
select scope.*, deployment.*
from audit_deployment as deployment, lateral (
    select unnest(list_concat([
        {'scope_kind': 'org', 'scope': 'all'},
        {'scope_kind': 'team', 'scope': team},
        {'scope_kind': 'service', 'scope': service}
    ], list_transform(initiatives, lambda name: {'scope_kind': 'initiative', 'scope': name})), recursive := true)
) as scope
where scope.scope is not null and production;

-- One row for each quantity that is summed up by percentiles.
create or replace table measured as
with delivered as (
    select * from change_scope join in_window on day_of(deployed_at) between first_day and last_day
    where excluded is null
)
select 'change_lead_time' as metric, scope_kind, scope, window_days, lead_time as value from delivered
union all select 'coding_time', scope_kind, scope, window_days, coding_time from delivered
union all select 'pickup_time', scope_kind, scope, window_days, pickup_time from delivered
union all select 'review_time', scope_kind, scope, window_days, review_time from delivered
union all select 'deploy_time', scope_kind, scope, window_days, deploy_time from delivered
union all
select 'failed_deployment_recovery_time', scope_kind, scope, window_days, recovery_time
from deployment_scope join in_window on day_of(recovered_at) between first_day and last_day
union all
select 'open_changes', scope_kind, scope, null, seconds(coalesce(authored_at, created_at), getvariable('as_of_us'))
from change_scope, known
where kind = 'pull_request' and created_at is not null and status in ('open', 'merged')
    and what_is_open and coalesce(authored_at, created_at) <= getvariable('as_of_us')
union all
select 'open_recoveries', scope_kind, scope, null, seconds(finished_at, getvariable('as_of_us'))
from deployment_scope, known
where failed and recovered_at is null and what_is_open and finished_at <= getvariable('as_of_us');

create or replace table counted as
select scope_kind, scope, window_days,
    count(*) filter (outcome = 'success') as successes,
    count(*) filter (outcome in ('success', 'failure')) as attempts,
    count(*) filter (failed and outcome in ('success', 'failure')) as failures,
    count(*) filter (rework and outcome in ('success', 'failure')) as reworks,
    count(*) filter (outcome = 'success' and trace = 'traced') as traced,
    count(*) filter (outcome = 'success' and trace = 'ambiguous') as ambiguous,
    count(*) filter (outcome = 'success' and trace = 'orphan') as orphans,
    traced + ambiguous + orphans as eligible
from deployment_scope join in_window on day_of(finished_at) between first_day and last_day
group by scope_kind, scope, window_days;

create or replace table audit_metric as
select metric, stat, scope_kind, scope, window_days, value::double as value, n::bigint as n
from (
    select 'deployment_frequency' as metric, 'value' as stat, scope_kind, scope, window_days, successes / window_days as value, successes as n
    from counted
    union all select 'change_fail_rate', 'value', scope_kind, scope, window_days, counted.failures / attempts, attempts
    from counted, known where known.failures
    union all select 'deployment_rework_rate', 'value', scope_kind, scope, window_days, reworks / attempts, attempts
    from counted, known where known.failures
    union all select 'traceability_coverage', 'value', scope_kind, scope, window_days, traced / eligible, eligible from counted
    union all select 'orphan_deployments', 'value', scope_kind, scope, window_days, orphans, eligible from counted
    union all select 'ambiguous_deployments', 'value', scope_kind, scope, window_days, ambiguous, eligible from counted
    union all
    select metric, 'value', scope_kind, scope, null, count(value), count(value)
    from measured where starts_with(metric, 'open_') group by metric, scope_kind, scope
    union all
    select metric, unnest(['p50', 'p85', 'p95']) as stat, scope_kind, scope, window_days,
        unnest(quantile_cont(value, [0.5, 0.85, 0.95])), count(value)
    from measured
    group by metric, scope_kind, scope, window_days
)
where n > 0 and not (starts_with(metric, 'open_') and stat = 'p95');
