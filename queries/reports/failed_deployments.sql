-- Question: which production deployments failed, by what sign, and how long did it take to recover?
-- Columns:
--   finished_at  when the deployment ended
--   service  service
--   team  team that owned it then
--   deployment  the source's id
--   version  version
--   outcome  success or failure of the deployment itself
--   failures  incidents and rollbacks put down to it: kind, title, how it was linked
--   severity  the severities of its incidents
--   recovered_at  when service was restored; null: not yet
--   recovery_time [seconds]  finish to recovered; null: not yet, or before the finish
--   open_for [seconds]  age as of the snapshot of what is not recovered
--   changes [items]  changes that it was the first to deliver
--   initiatives  initiatives that these serve
--   url  where it can be seen
-- Parameters:
--   days = 90  UTC days that end with the day of the snapshot
--   service = null  only this service

with last as (select max_by(as_of, number) as instant, (instant at time zone 'UTC')::date as day from snapshots),
sign as (
    select deployment as id, list(kind || ': ' || coalesce(nullif(title, ''), id) || ' (' || method || ')' order by detected_at, id)
        as failures, list(distinct severity order by severity) filter (severity is not null) as severity
    from failures where deployment is not null and excluded is null group by deployment
)
select finished_at, service, team, deployment, version, outcome, coalesce(sign.failures, []) as failures,
    coalesce(severity, []) as severity, recovered_at, recovery_time,
    case when recovered_at is null then seconds(finished_at, instant) end as open_for, changes, initiatives, url
from deployments
left join sign using (id), last
where failed and (finished_at at time zone 'UTC')::date between day - $days::integer + 1 and day
    and ($service::varchar is null or service = $service::varchar)
order by finished_at desc, deployment;
