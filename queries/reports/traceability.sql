-- Question: how much of what went into production can be traced to an initiative, by team and service?
-- Columns:
--   team  team that owned the service; null: nobody
--   service  service
--   deployments [items]  successful production deployments
--   traced [items]  with a change that an explicit link leads to an initiative
--   ambiguous [items]  whose links lead to several initiatives
--   orphan [items]  none of whose changes leads to an initiative
--   exempt [items]  all of whose changes need not be traced
--   empty [items]  that delivered no change for the first time
--   coverage [ratio]  traced, of traced, ambiguous and orphan; null: none of these
--   initiatives  initiatives that were served
-- Parameters:
--   days = 28  UTC days that end with the day of the snapshot

with last as (select (max_by(as_of, number) at time zone 'UTC')::date as day from snapshots)
select team, service, count(*) as deployments, count(*) filter (trace = 'traced') as traced,
    count(*) filter (trace = 'ambiguous') as ambiguous, count(*) filter (trace = 'orphan') as orphan,
    count(*) filter (trace = 'exempt') as exempt, count(*) filter (trace = 'empty') as empty,
    case when traced + ambiguous + orphan > 0 then rounded(traced / (traced + ambiguous + orphan)) end as coverage,
    list_sort(list_distinct(flatten(list(initiatives)))) as initiatives
from deployments, last
where production and outcome = 'success' and (finished_at at time zone 'UTC')::date between day - $days::integer + 1 and day
group by team, service
order by coverage nulls last, deployments desc, service;
