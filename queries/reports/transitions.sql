-- Question: which work moved, and why?
-- Columns:
--   moved_at  when it moved
--   ticket  ticket
--   title  its title
--   team  team that it is with
--   initiative  initiative that it serves
--   from_status  status before, as the tracker names it; null: not told
--   to_status  status after
--   reason  why, as the source tells
--   decision  the latest decision that names the ticket and was made since its move before
--   explained  there is a reason or a decision
--   event  id of the event
-- Parameters:
--   days = 28  moved within so many UTC days
--   explained = null  only those that are explained, or (false) that are not
--   ticket = null  only this ticket
--   team = null  only tickets of this team
--   limit = 200  how many, the latest first

with moved as (
    select time as moved_at, payload ->> '$.ticket' as ticket, payload ->> '$.from_status' as told_from,
        payload ->> '$.to_status' as to_status, payload ->> '$.reason' as reason, id as event,
        lag(time) over past as moved_before, coalesce(told_from, lag(payload ->> '$.to_status') over past) as from_status
    from events
    where starts_with(type, 'dev.cdeventsx.leadline-ticket.moved.')
        and ($ticket::varchar is null or payload ->> '$.ticket' = $ticket::varchar)
    window past as (partition by payload ->> '$.ticket' order by time, id)
),
recent as (
    select moved.* from moved, moment(null::timestamptz)
    where day_of(moved_at) between day - $days::integer + 1 and day
),
about as (
    select id, decided_at, unnest(list_filter(refs, lambda ref: ref.kind = 'ticket'), recursive := true)
    from decisions where decided_at is not null
),
linked as (
    select event, arg_max(about.id, (decided_at, about.id)) as decision
    from recent join about on about.value = ticket
        and decided_at <= moved_at and decided_at > coalesce(moved_before, '-infinity'::timestamptz)
    group by event
)
select moved_at, ticket, title, team, initiative, from_status, to_status, reason, decision,
    reason is not null or decision is not null as explained, event
from recent
left join linked using (event)
left join tickets on tickets.id = ticket
where ($explained::boolean is null or explained = $explained::boolean) and ($team::varchar is null or team = $team::varchar)
order by moved_at desc, ticket, event
limit $limit::integer;
