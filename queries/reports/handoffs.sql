-- Question: what was handed from team to team, which legs of it are missing, and what came back?
-- Columns:
--   handoff  id of an explicit hand-over, or the ticket that changed teams
--   how  explicit: as a hand-over with its legs; transfer: the ticket changed teams, which has no legs
--   title  what is handed over
--   ticket  ticket that it is about
--   consumer  team that hands over; null: not known
--   provider  team that is to take over; null: not known
--   mode  how the two teams interact, or implicit
--   state  open, accepted, completed, returned or forwarded
--   missing  legs that should be known and are not: requested, needed_by, accepted
--   requested_at  when it was asked for; of a transfer: when the ticket changed teams
--   needed_by  by when it is needed, as told
--   accepted_at  when it was taken up
--   delivered_at  when what was asked for was delivered
--   returned_at  when it came back last
--   bounces [items]  how often an explicit one was returned
--   age [seconds]  of what is open, as of the snapshot
--   overdue [seconds]  of what is open: beyond when it is needed, or expected
--   latency [seconds]  asked for to taken up
--   initiative  initiative that it serves
--   wait  id of the fact
-- Parameters:
--   days = 28  what ended within so many UTC days is listed beside what is open
--   team = null  only what this team hands over or takes over

with moment as (from moment(null::timestamptz)),
leg as (
    select payload ->> '$.handoff' as handoff, split_part(type, '.', 4) as leg, time, id,
        (payload ->> '$.needed_by')::timestamptz as needed_by
    from events where starts_with(type, 'dev.cdeventsx.leadline-handoff.')
),
told as (
    select 'handoff|' || handoff as wait, min(time) filter (leg = 'requested') as requested_at,
        min(time) filter (leg = 'accepted') as accepted_at, min(time) filter (leg = 'delivered') as delivered_at,
        max(time) filter (leg = 'returned') as returned_at,
        arg_max(needed_by, (time, id)) filter (needed_by is not null) as needed_by
    from leg group by handoff
),
listed as (
    select waits.*, instant, starts_with(id, 'transfer|') as is_transfer,
        list_filter(refs, lambda ref: ref.kind = 'ticket')[1].value as named
    from waits, moment
    where kind = 'handoff' and excluded is null and ($team::varchar is null or $team::varchar in (consumer, provider))
        and (ended_at is null or day_of(ended_at) between day - $days::integer + 1 and day)
)
select subject as handoff, case when is_transfer then 'transfer' else 'explicit' end as how,
    coalesce(nullif(listed.title, ''), tickets.title) as title, case when is_transfer then subject else named end as ticket,
    consumer, provider, mode, coalesce("end", 'open') as state, missing,
    case when is_transfer then opened_at else requested_at end as requested_at, needed_by,
    case when is_transfer and "end" = 'accepted' then ended_at else accepted_at end as accepted_at, delivered_at,
    case when is_transfer and "end" = 'returned' then ended_at else returned_at end as returned_at, bounces,
    case when ended_at is null then seconds(opened_at, instant) end as age,
    case when ended_at is null and due_at < instant then seconds(due_at, instant) end as overdue, latency, listed.initiative,
    listed.id as wait
from listed
left join told on told.wait = listed.id
left join tickets on tickets.id = case when is_transfer then subject else named end
order by ended_at is not null, overdue desc nulls last, age desc, ended_at desc, wait;
