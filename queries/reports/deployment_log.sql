-- Question: what was deployed when, and how did it go?
-- Columns:
--   finished_at  when it ended; null: it is running
--   service  service
--   team  team that owned it then
--   environment  environment
--   version  version
--   sha  commit
--   outcome  success, failure, cancelled or running
--   failed  it failed, or an incident or a rollback is put down to it
--   duration [seconds]  start to finish; null: the start was not told
--   changes [items]  changes that it was the first to deliver
--   trace  traced, ambiguous, orphan, exempt or empty
--   initiatives  initiatives that these changes serve
--   url  where it can be seen
-- Parameters:
--   days = 28  UTC days that end with the day of the snapshot
--   service = null  only this service
--   production = true  false: other environments as well
--   limit = 200  how many, the latest first

with last as (select (max_by(as_of, number) at time zone 'UTC')::date as day from snapshots)
select finished_at, service, team, environment, version, sha, outcome, failed,
    case when finished_at >= started_at then seconds(started_at, finished_at) end as duration, changes, trace, initiatives, url
from deployments, last
where (coalesce(finished_at, started_at) at time zone 'UTC')::date between day - $days::integer + 1 and day
    and ($service::varchar is null or service = $service::varchar) and (production or not $production::boolean)
order by finished_at desc nulls first, service, id
limit $limit::integer;
