-- Question: how much of the work and of the deployments of each team reaches no initiative? `orphan_work` lists it.
-- Columns:
--   team  team; null: nobody
--   kind  deployment, change, or ticket
--   items [items]  successful production deployments with changes to trace, delivered changes, or tickets open or done
--   orphans [items]  those of them that lead to no initiative
--   rate [ratio]  orphans, of the items
--   ambiguous [items]  those beside these that lead to several
--   latest  ids of the latest orphans
-- Parameters:
--   days = 28  deployed, or done, within so many UTC days
--   team = null  only this team
--   examples = 5  so many of the latest orphans

with moment as (from moment(null::timestamptz)),
item as (
    select team, 'deployment' as kind, id, finished_at as ended_at, trace = 'orphan' as is_orphan, trace = 'ambiguous' as is_ambiguous
    from deployments where production and outcome = 'success' and trace in ('traced', 'ambiguous', 'orphan')
    union all
    select team, 'change', id, deployed_at, confidence is null, coalesce(confidence = 'ambiguous', false)
    from changes where deployed_at is not null and not exempt
    union all
    select team, 'ticket', id, coalesce(finished_at, instant), initiative is null and len(candidates) = 0, len(candidates) > 0
    from tickets, moment where not deleted and coalesce(finish, 'done') = 'done' and lower(kind) <> 'alias'
)
select team, kind, count(*) as items, count(*) filter (is_orphan) as orphans, rounded(orphans / items) as rate,
    count(*) filter (is_ambiguous) as ambiguous,
    coalesce((list(id order by ended_at desc, id) filter (is_orphan))[:$examples::integer], []) as latest
from item, moment
where day_of(ended_at) between day - $days::integer + 1 and day and ($team::varchar is null or team = $team::varchar)
group by team, kind
order by team nulls first, list_position(['deployment', 'change', 'ticket'], kind);
