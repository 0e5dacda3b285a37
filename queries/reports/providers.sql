-- Question: which teams do others wait for most, counting what is still open, and how many initiatives does that hold up?
-- Columns:
--   rank  1: most time
--   provider  team that others wait for
--   type  its type
--   total_wait [seconds]  time waited: ages of what is open, and spans of what ended
--   open_wait [seconds]  of that, what is open
--   closed_wait [seconds]  of that, what ended, in whatever way
--   open_waits [items]  waits that are open
--   closed_waits [items]  waits that ended
--   overdue_waits [items]  open ones that should have ended
--   consumers  teams that wait or waited
--   blocked_initiatives [items]  different initiatives that wait or waited
--   blocked_now [items]  those of them that wait now
--   initiatives  their names
--   oldest  id of the wait that is open longest
-- Parameters:
--   days = 90  what ended within so many UTC days counts beside what is open
--   kind = null  only dependency, review, handoff or decision

with moment as (from moment(null::timestamptz)),
waited as (
    select provider, consumer, initiative, waits.id, opened_at, ended_at is null as is_open, due_at < instant as overdue,
        greatest(seconds(opened_at, coalesce(ended_at, instant)), 0) as span
    from waits, moment
    where cross_team and excluded is null and ($kind::varchar is null or kind = $kind::varchar) and opened_at <= instant
        and (ended_at is null or day_of(ended_at) between day - $days::integer + 1 and day)
),
summed as (
    select provider, rounded(sum(span)) as total_wait, rounded(coalesce(sum(span) filter (is_open), 0)) as open_wait,
        rounded(coalesce(sum(span) filter (not is_open), 0)) as closed_wait,
        count(*) filter (is_open) as open_waits, count(*) filter (not is_open) as closed_waits,
        count(*) filter (is_open and overdue) as overdue_waits, list(distinct consumer order by consumer) as consumers,
        count(distinct initiative) as blocked_initiatives, count(distinct initiative) filter (is_open) as blocked_now,
        coalesce(list(distinct initiative order by initiative) filter (initiative is not null), []) as initiatives,
        arg_min(id, (opened_at, id)) filter (is_open) as oldest
    from waited
    group by provider
)
select row_number() over (order by total_wait desc, provider) as rank, provider, teams.type, summed.* exclude (provider)
from summed
left join teams on teams.name = provider
order by rank;
