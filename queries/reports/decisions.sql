-- Question: which decisions are due or overdue, which were made without everybody whom they need, and which are local?
-- Columns:
--   decision  its id
--   title  its title
--   state  overdue, due, open; incomplete: accepted without everybody whom its class needs; else how it ended
--   category  its class
--   cross_functional  its class needs more than one approver, as the policy says now; false: it is local; null: no class
--   approvers  who agreed
--   lacking  who of those whom its class needs has not agreed
--   from_team  team that asked
--   to_team  team that is asked
--   asked_at  when it was asked for; null: not told
--   due_at  by when it should be made
--   overdue [seconds]  beyond that, of what is open
--   age [seconds]  of what is open, as of the snapshot
--   decided_at  when it was made
--   latency [seconds]  asked for to made
--   by  decision that superseded or reversed it
--   ticket  ticket that it is about, or that it is
--   initiative  initiative that it serves
--   url  where it can be read
-- Parameters:
--   days = 28  what was made within so many UTC days is listed beside what is open or incomplete
--   due_days = 14  what is to be made within so many days is due
--   team = null  only what this team asks or is asked

with moment as (from moment(null::timestamptz)),
policy as (
    select spec from contract_objects where kind = 'Policy' and json_type(spec) = 'OBJECT' order by name limit 1
),
class as (
    select key as category, (value -> '$.approvers')::varchar[] as needed
    from policy, json_each(spec, '$.decisions')
),
listed as (
    select decisions.* exclude (lacking), instant, day, len(needed) > 1 as cross_functional,
        case when decided_at is not null then lacking
             else list_filter(coalesce(needed, []), lambda role:
                not list_contains(list_transform(approvers, lambda name: lower(name)), lower(role))) end as lacking,
        case when status <> 'open' then case when status = 'accepted' and len(lacking) > 0 then 'incomplete' else status end
             when due_at < instant then 'overdue'
             when due_at < instant + to_days($due_days::integer) then 'due'
             else 'open' end as state
    from decisions
    left join class using (category), moment
)
select id as decision, title, state, category, cross_functional, approvers, lacking, from_team, to_team, asked_at, due_at,
    case when state = 'overdue' then seconds(due_at, instant) end as overdue,
    case when status = 'open' then seconds(asked_at, instant) end as age, decided_at, latency, "by", ticket, initiative, url
from listed
where (status = 'open' or state = 'incomplete'
        or day_of(coalesce(superseded_at, reversed_at, decided_at)) between day - $days::integer + 1 and day)
    and ($team::varchar is null or $team::varchar in (from_team, to_team))
order by list_position(['overdue', 'due', 'open', 'incomplete'], state) nulls last, due_at, decided_at desc, decision;
