-- Question: which deployment is each failure put down to, which deployments failed, and when had they recovered?
-- Reads:    failure, deployment, policy_version.
-- Gives:    failure_link(id, rank, method); deployment_health(rank, previous, failed, failures, recovered_at).

create table failure_link as
with counted as (
    select failure.*, (select arg_min(attribution_window_us, name) from policy_version
                       where failure.instant >= valid_from and failure.instant < valid_to) as window_us
    from failure where excluded is null
),
explicit as (
    select counted.id, arg_max(rank, {'same': deployment.source = counted.source, 'rank': rank}) as rank
    from counted join deployment on deployment.deployment = counted.deployment
    where production and outcome in ('success', 'failure')
    group by counted.id
),
preceding as (
    select counted.id, max(rank) as rank
    from counted join deployment on deployment.service = counted.service
        and deployment.finished_at <= counted.instant and deployment.finished_at >= counted.instant - counted.window_us
    where production and outcome = 'success'
        and (kind = 'incident'
             or (finished_at < counted.instant and deployment.deployment <> counted.name))
    group by counted.id
)
select id, rank, 'explicit' as method from explicit
union all
select id, rank, 'window' from preceding anti join explicit using (id);

create table deployment_health as
with linked as (
    select rank, list(id order by id) as failures,
        case when bool_and(resolved_at is not null) filter (kind = 'incident') then max(resolved_at) filter (kind = 'incident') end as all_resolved_at,
        min(instant) filter (kind = 'rollback') as rolled_back_at
    from failure_link join failure using (id)
    group by rank
),
previous as (
    select rank, last_value(case when outcome = 'success' then id end ignore nulls) over (
        partition by service, repo, lower(environment) order by coalesce(started_at, finished_at), id
        rows between unbounded preceding and 1 preceding) as previous
    from deployment where outcome <> 'running'
),
following as (
    select rank, first_value(case when outcome = 'success' then finished_at end ignore nulls) over (
        partition by service order by rank rows between 1 following and unbounded following) as next_success_at
    from deployment where production and outcome <> 'running'
)
select rank, previous, failed, coalesce(failures, []) as failures,
    case when failed then least(all_resolved_at, rolled_back_at, case when outcome = 'failure' then next_success_at end) end as recovered_at
from (
    select *, production and (outcome = 'failure' or coalesce(failed_at > success_at, false) or failures is not null) as failed
    from deployment
    left join linked using (rank)
    left join previous using (rank)
    left join following using (rank)
);
