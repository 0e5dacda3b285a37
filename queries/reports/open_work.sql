-- Question: what is under way or waiting: changes that are not in production, failed deployments not recovered from, and
--           tickets that were begun and are not finished, oldest first?
-- Columns:
--   kind  change, recovery or ticket
--   id  id of the fact
--   title  title of the change or ticket, or version of the deployment
--   team  team that owns the service, or that the ticket is with
--   service  service; null: a ticket
--   state  open, merged, or not recovered; of a ticket: its status in the words of the contract
--   since  when it began
--   age [seconds]  as of the snapshot
--   initiative  initiative that it serves
-- Parameters:
--   team = null  only this team
--   limit = 100  how many

with last as (select max_by(as_of, number) as instant from snapshots),
waiting as (
    select 'change' as kind, id, title, team, service, status as state, coalesce(authored_at, created_at) as since, initiative
    from changes where kind = 'pull_request' and created_at is not null and status in ('open', 'merged')
    union all
    select 'recovery', id, coalesce(version, deployment), team, service, 'not recovered', finished_at,
        case when len(initiatives) = 1 then initiatives[1] end
    from deployments
    where production and failed and outcome in ('success', 'failure') and finished_at is not null and recovered_at is null
    union all
    select 'ticket', id, title, team, null, canonical_status, started_at, initiative
    from tickets where started_at is not null and finished_at is null and not deleted
)
select kind, id, title, team, service, state, since, seconds(since, instant) as age, initiative
from waiting, last
where since <= instant and ($team::varchar is null or team = $team::varchar)
order by age desc, kind, id
limit $limit::integer;
