-- Question: how do changes that an assistant made or helped to make fare, beside the others?
--           A deployment that brought both kinds counts in both rows.
-- Columns:
--   changes_by  assisted, or others
--   assistants  which ones
--   changes [items]  delivered changes
--   share [ratio]  of all delivered changes
--   timed [items]  those of them that have a lead time
--   lead_time_p50 [seconds]  first commit authored to deployed; null: none has one
--   lead_time_p85 [seconds]  the same, of the slow ones
--   open_changes [items]  pull requests of this kind that are not yet deployed, whose wait is not in these numbers
--   deployments [items]  production deployments that brought such changes, and succeeded or failed
--   change_fail_rate [ratio]  failed ones, of these; null: none, or no source has told of any failure
--   deployment_rework_rate [ratio]  unplanned ones, of these; null: as before
--   traced [ratio]  changes that lead to an initiative by an explicit link, of the changes that are not exempt
--   proposals [items]  what assistants proposed; null: of others
--   context_integrity [ratio]  proposals that refer to a canonical initiative, of all; null: none
-- Parameters:
--   days = 28  UTC days that end with the day of the snapshot
--   team = null  only changes of this team, and then no proposals, which have none

with moment as (from moment(null::timestamptz)),
evidence as (select exists (from failures) or exists (from deployments where failed) as failures_told),
change as (
    select *, assistant is not null as assisted from changes
    where excluded is null and ($team::varchar is null or team = $team::varchar)
),
delivered as (
    select change.* from change, moment where day_of(deployed_at) between day - $days::integer + 1 and day
),
run as (
    select assisted, count(*) as deployments, count(*) filter (failed) as failed, count(*) filter (rework) as rework
    from (select distinct assisted, deployment from delivered) as brought
    join deployments on deployments.id = brought.deployment
    where outcome in ('success', 'failure')
    group by assisted
),
waiting as (
    select assisted, count(*) as open_changes from change
    where kind = 'pull_request' and created_at is not null and status in ('open', 'merged') group by assisted
),
proposed as (
    select true as assisted, count(*) as proposals, count(*) filter (status = 'linked') as linked
    from artifacts, moment
    where day_of(proposed_at) between day - $days::integer + 1 and day and $team::varchar is null
),
work as (
    select assisted, coalesce(list(distinct assistant order by assistant) filter (assisted), []) as assistants, count(*) as changes,
        sum(count(*)) over () as of_all, list(lead_time order by lead_time) filter (lead_time is not null) as spans,
        count(*) filter (not exempt) as traceable,
        count(*) filter (not exempt and coalesce(confidence in ('declared', 'linked'), false)) as led
    from delivered
    group by assisted
)
select case when assisted then 'assisted' else 'others' end as changes_by, coalesce(assistants, []) as assistants,
    coalesce(changes, 0) as changes, rounded(changes / of_all) as share, coalesce(len(spans), 0) as timed,
    case when len(spans) > 0 then rounded(quantile_of(spans, 0.5)) end as lead_time_p50,
    case when len(spans) > 0 then rounded(quantile_of(spans, 0.85)) end as lead_time_p85,
    coalesce(open_changes, 0) as open_changes, coalesce(deployments, 0) as deployments,
    case when failures_told then rounded(failed / deployments) end as change_fail_rate,
    case when failures_told then rounded(rework / deployments) end as deployment_rework_rate,
    case when traceable > 0 then rounded(led / traceable) end as traced,
    case when $team::varchar is null then proposals end as proposals,
    case when proposals > 0 then rounded(linked / proposals) end as context_integrity
from (values (true), (false)) as kind(assisted)
left join work using (assisted)
left join run using (assisted)
left join waiting using (assisted)
left join proposed using (assisted), evidence
order by assisted desc;
