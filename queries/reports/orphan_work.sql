-- Question: which deployments and delivered changes reach no initiative, by team?
-- Columns:
--   team  team that owned the service; null: nobody
--   service  service
--   kind  deployment, or change
--   id  id of the fact
--   title  title of the change, or version of the deployment
--   deployed_at  when it was deployed
--   mentions  tickets and initiatives that it names, none of which leads to an initiative
-- Parameters:
--   days = 28  UTC days that end with the day of the snapshot
--   team = null  only this team

with last as (select (max_by(as_of, number) at time zone 'UTC')::date as day from snapshots),
orphan as (
    select team, service, 'deployment' as kind, id, coalesce(version, deployment) as title, finished_at as deployed_at,
        []::varchar[] as mentions
    from deployments where production and outcome = 'success' and trace = 'orphan'
    union all
    select team, service, 'change', id, title, deployed_at,
        list_distinct(list_transform(list_filter(refs, lambda ref: ref.kind in ('ticket', 'initiative')), lambda ref: ref.value))
    from changes where deployed_at is not null and confidence is null and not exempt
)
select orphan.* from orphan, last
where (deployed_at at time zone 'UTC')::date between day - $days::integer + 1 and day
    and ($team::varchar is null or team = $team::varchar)
order by team nulls first, service, kind desc, deployed_at desc, id;
