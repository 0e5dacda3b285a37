-- Question: what are the metrics of work and coordination as of the same instant, in each scope and window?
-- Reads:    audit_ticket, audit_wait, audit_artifact, in_window, known, change_scope; the variable as_of_us.
-- Gives:    further rows of audit_metric, after its rules.

create or replace macro scoped(kind, name) as {'scope_kind': kind, 'scope': name};

create or replace table wait_scope as
select scope.*, wait.*
from audit_wait as wait, lateral (
    select unnest([
        scoped('org', 'all'), scoped('team', consumer), scoped('initiative', initiative),
        scoped('pair', case when cross_team then consumer || ' > ' || provider end), scoped('mode', mode)
    ], recursive := true)
) as scope
where scope.scope is not null and excluded is null and (cross_team or kind = 'decision');

create or replace table ticket_scope as
select scope.*, ticket.*
from audit_ticket as ticket, lateral (
    select unnest([scoped('org', 'all'), scoped('team', team), scoped('initiative', initiative)], recursive := true)
) as scope
where scope.scope is not null and not deleted;

create or replace table artifact_scope as
select scope.*, artifact.*
from audit_artifact as artifact, lateral (
    select unnest([scoped('org', 'all'), scoped('initiative', initiative)], recursive := true)
) as scope
where scope.scope is not null;

-- What is open now, with its age in seconds.
create or replace table open_item as
select case kind when 'dependency' then 'open_dependencies' when 'review' then 'open_reviews' when 'handoff' then 'open_handoffs'
                 else 'open_decisions' end as metric, scope_kind, scope, seconds(opened_at, getvariable('as_of_us')) as age
from wait_scope, known
where ended_at is null and what_is_open and opened_at <= getvariable('as_of_us')
union all
select 'open_work', scope_kind, scope, seconds(started_at, getvariable('as_of_us'))
from ticket_scope, known
where started_at is not null and finished_at is null and what_is_open and started_at <= getvariable('as_of_us');

-- One row for each quantity that is summed up by percentiles.
create or replace table measured_work as
with ended as (
    select * from wait_scope join in_window on day_of(ended_at) between first_day and last_day
),
finished as (
    select * from ticket_scope join in_window on day_of(finished_at) between first_day and last_day
    where finish = 'done'
)
select case kind when 'dependency' then 'dependency_latency' when 'review' then 'review_wait' when 'handoff' then 'handoff_wait'
                 else 'decision_latency' end as metric, scope_kind, scope, window_days, latency as value
from ended
union all
select 'dependency_wait', scope_kind, scope, window_days, latency from ended, known where kind = 'dependency' and what_is_open
union all
select 'dependency_wait', scope_kind, scope, window_days, age from open_item, in_window where metric = 'open_dependencies'
union all
select 'discovery_lag', scope_kind, scope, window_days, discovery_lag
from wait_scope join in_window on day_of(opened_at) between first_day and last_day
where kind = 'dependency'
union all
select 'flow_time', scope_kind, scope, window_days, flow_time from finished
union all
select 'blocked_time', scope_kind, scope, window_days, blocked_time from finished
union all
select metric, scope_kind, scope, null, age from open_item;

-- One row for each rate and sum: `part` of `n`, or as `value` says.
create or replace table summed_work as
with flow as (
    select scope_kind, scope, window_days, sum(active_time) as active, sum(active_time + waiting_time) as total,
        count(active_time + waiting_time) as tickets, sum(reasoned) as reasoned, sum(moves) as moves
    from ticket_scope join in_window on day_of(finished_at) between first_day and last_day
    where finish = 'done'
    group by scope_kind, scope, window_days
),
debt as (
    select scope_kind, scope, seconds(due_at, getvariable('as_of_us')) as overdue
    from wait_scope, known
    where ended_at is null and what_is_open
)
select 'late_discovery_rate' as metric, scope_kind, scope, window_days, count(*) filter (discovery_lag > 0) / count(*) as value, count(*) as n
from wait_scope join in_window on day_of(opened_at) between first_day and last_day
where kind = 'dependency' and discovery_lag is not null
group by scope_kind, scope, window_days
union all
select 'handoff_return_rate', scope_kind, scope, window_days, count(*) filter ("end" = 'returned') / count(*), count(*)
from wait_scope join in_window on day_of(ended_at) between first_day and last_day
where kind = 'handoff'
group by scope_kind, scope, window_days
union all
select 'coordination_debt', scope_kind, scope, null, coalesce(sum(overdue) filter (overdue > 0), 0), count(*)
from debt group by scope_kind, scope
union all
select 'overdue_waits', scope_kind, scope, null, count(*) filter (overdue > 0), count(*)
from debt group by scope_kind, scope
union all
select 'flow_efficiency', scope_kind, scope, window_days, active / total, tickets from flow where total > 0
union all
select 'reasoned_moves', scope_kind, scope, window_days, reasoned / moves, moves from flow
union all
select 'unmapped_work', scope_kind, scope, null, count(*) filter ('unmapped' in (canonical_status, canonical_type)), count(*)
from ticket_scope, known where what_is_open group by scope_kind, scope
union all
select 'assisted_share', scope_kind, scope, window_days, count(assistant) / count(*), count(*)
from change_scope join in_window on day_of(deployed_at) between first_day and last_day
where excluded is null
group by scope_kind, scope, window_days
union all
select 'context_integrity', scope_kind, scope, window_days, count(*) filter (status = 'linked') / count(*), count(*)
from artifact_scope join in_window on day_of(proposed_at) between first_day and last_day
group by scope_kind, scope, window_days;

insert into audit_metric
select metric, stat, scope_kind, scope, window_days, value::double, n::bigint
from (
    select metric, 'value' as stat, scope_kind, scope, window_days, value, n from summed_work
    union all
    select metric, 'value', scope_kind, scope, null, count(*), count(*) from open_item group by metric, scope_kind, scope
    union all
    select metric, unnest(['p50', 'p85', 'p95']), scope_kind, scope, window_days, unnest(quantile_cont(value, [0.5, 0.85, 0.95])), count(value)
    from measured_work
    group by metric, scope_kind, scope, window_days
)
where n > 0 and not (starts_with(metric, 'open_') and stat = 'p95');
