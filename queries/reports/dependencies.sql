-- Question: which team blocks which, since when, as agreed how, and where do tickets wait for each other in a circle?
-- Columns:
--   consumer  team that waits; null: not known
--   provider  team that it waits for; null: not known
--   mode  how the two teams interact, or implicit; null: a team is not known
--   ticket  ticket that waits
--   title  its title
--   blocker  ticket that it waits for
--   blocker_title  its title
--   stub  the blocker was never seen itself
--   opened_at  when the dependency was added
--   age [seconds]  of what is open, as of the snapshot
--   due_at  by when it should have ended
--   overdue [seconds]  beyond that, of what is open; null: not overdue
--   ended_at  when it ended; null: it is open
--   end  completed, withdrawn or overtaken
--   latency [seconds]  added to the blocker completed; null: open, or ended otherwise
--   discovery_lag [seconds]  work begun to dependency added; negative: it was known before; null: work has not begun
--   initiative  initiative that waits
--   cycle  the circle of open dependencies that it is part of
--   wait  id of the fact
-- Parameters:
--   days = 28  what ended within so many UTC days is listed beside what is open
--   team = null  only what this team waits for, or others wait for it
--   limit = 200  how many, open ones first

with recursive moment as (from moment(null::timestamptz)),
open_edge as (
    select distinct subject as ticket, "on" as blocker from waits
    where kind = 'dependency' and excluded is null and ended_at is null
),
-- Only what waits, and is waited for, can be part of a circle.
edge as (
    from open_edge where blocker in (select ticket from open_edge) and ticket in (select blocker from open_edge)
),
-- The shortest way from each ticket to each that it waits for in the end.
walk(start, node, path) using key (start, node) as (
    select ticket, blocker, [ticket] from edge
    union
    select walk.start, edge.blocker, min(list_append(walk.path, walk.node))
    from walk join edge on edge.ticket = walk.node
    left join recurring.walk as known on known.start = walk.start and known.node = edge.blocker
    where known.start is null
    group by all
),
circle as (
    select node as ticket, start as blocker, list_prepend(node, path) as tickets,
        list_position(tickets, list_min(tickets)) as first
    from walk
),
listed as (
    select waits.*, instant,
        case when circle.ticket is not null
            then array_to_string(list_concat(tickets[first:], tickets[:first]), ' > ') end as cycle
    from waits
    left join circle on circle.ticket = subject and circle.blocker = "on" and ended_at is null, moment
    where kind = 'dependency' and excluded is null and (cross_team or consumer is null or provider is null)
        and ($team::varchar is null or $team::varchar in (consumer, provider))
        and (ended_at is null or day_of(ended_at) between day - $days::integer + 1 and day)
)
select consumer, provider, mode, subject as ticket, listed.title, "on" as blocker,
    blocking.title as blocker_title, stub, opened_at, case when ended_at is null then seconds(opened_at, instant) end as age, due_at,
    case when ended_at is null and due_at < instant then seconds(due_at, instant) end as overdue, ended_at, "end", latency,
    discovery_lag, listed.initiative, cycle, listed.id as wait
from listed
left join tickets as blocking on blocking.id = "on"
order by ended_at is not null, overdue desc nulls last, age desc, ended_at desc, wait
limit $limit::integer;
