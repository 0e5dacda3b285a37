-- Question: which deployments, delivered changes and tickets reach no initiative, by team? `orphans` has the rates.
-- Columns:
--   team  team that owned the service, or that the ticket is with; null: nobody
--   service  service; of a ticket: its project
--   kind  deployment, change, or ticket
--   id  id of the fact
--   title  title of the change or ticket, or version of the deployment
--   ended_at  when it was deployed, or done; null: an open ticket
--   mentions  tickets and initiatives that it names, none of which leads to an initiative; of a ticket: the one above it
-- Parameters:
--   days = 28  deployed, or done, within so many UTC days
--   team = null  only this team

with moment as (from moment(null::timestamptz)),
orphan as (
    select team, service, 'deployment' as kind, id, coalesce(version, deployment) as title, finished_at as ended_at,
        []::varchar[] as mentions
    from deployments where production and outcome = 'success' and trace = 'orphan'
    union all
    select team, service, 'change', id, title, deployed_at,
        list_distinct(list_transform(list_filter(refs, lambda ref: ref.kind in ('ticket', 'initiative')), lambda ref: ref.value))
    from changes where deployed_at is not null and confidence is null and not exempt
    union all
    select team, project, 'ticket', id, title, finished_at, list_filter([parent], lambda each: each is not null)
    from tickets
    where not deleted and coalesce(finish, 'done') = 'done' and lower(kind) <> 'alias' and initiative is null and len(candidates) = 0
)
select orphan.* from orphan, moment
where day_of(coalesce(ended_at, instant)) between day - $days::integer + 1 and day and ($team::varchar is null or team = $team::varchar)
order by team nulls first, list_position(['deployment', 'change', 'ticket'], kind), service, ended_at desc nulls first, id;
