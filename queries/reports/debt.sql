-- Question: how much coordination debt is there in all, per initiative and between which teams, and which waits make it?
-- Columns:
--   scope_kind  org, initiative or pair (consumer > provider)
--   scope  name within the kind of scope
--   debt [seconds]  time by which open waits are overdue, summed up
--   wait_days [days]  the same in days
--   slope [days per day]  overdue waits: by so much the debt grows each day until one of them ends
--   open_waits [items]  cross-team waits and decisions that are open
--   rank  place among the overdue waits of the scope; null: none is overdue
--   wait  id of the wait
--   kind  dependency, review, handoff or decision
--   subject  what waits: ticket, change, hand-over or decision
--   blocker  ticket that it waits for; null: the provider itself
--   title  its title
--   consumer  team that waits
--   provider  team that it waits for
--   due_at  by when it should have ended
--   overdue [seconds]  beyond that
--   share [ratio]  of the debt of the scope
--   initiative  initiative that waits
--   evidence  ids of the events that opened it
-- Parameters:
--   worst = 5  so many waits of each scope
--   scope_kind = null  only this kind of scope
--   scope = null  only this scope

with still_open as (
    select waits.*, greatest(seconds(due_at, instant), 0) as overdue
    from waits, moment(null::timestamptz)
    where ended_at is null and excluded is null and due_at is not null and (cross_team or kind = 'decision')
),
scoped as (
    select still_open.*, unnest(list_filter([
        {'scope_kind': 'org', 'scope': 'all'},
        {'scope_kind': 'initiative', 'scope': initiative},
        {'scope_kind': 'pair', 'scope': case when cross_team then consumer || ' > ' || provider end}
    ], lambda each: each.scope is not null), recursive := true)
    from still_open
),
owed as (
    select scope_kind, scope, rounded(sum(round(overdue * 1000)::bigint) / 1000) as debt, count(*) filter (overdue > 0) as slope,
        count(*) as open_waits
    from scoped
    where ($scope_kind::varchar is null or scope_kind = $scope_kind::varchar)
        and ($scope::varchar is null or scope = $scope::varchar)
    group by all
),
ranked as (
    select *, row_number() over (partition by scope_kind, scope order by overdue desc, id) as rank
    from scoped where overdue > 0
    qualify rank <= $worst::integer
),
opening as (
    select id as event, time, payload ->> '$.blocked_by' as blocked_by,
        coalesce(payload ->> '$.handoff', payload ->> '$.decision', payload ->> '$.change', payload ->> '$.ticket') as about
    from events
    where time in (select opened_at from ranked) and (starts_with(type, 'dev.cdeventsx.leadline-handoff.')
        or split_part(type, '.', 3) || '.' || split_part(type, '.', 4) in ('leadline-dependency.added', 'leadline-review.requested',
            'leadline-decision.requested', 'leadline-ticket.transferred', 'ticket.created', 'ticket.updated'))
),
evidence as (
    select ranked.id, list(distinct event order by event) as evidence
    from ranked join opening on opening.time = opened_at and about = subject and blocked_by is not distinct from "on"
    group by ranked.id
)
select scope_kind, scope, debt, rounded(debt / 86400) as wait_days, slope, open_waits, rank, ranked.id as wait, kind, subject,
    "on" as blocker, title, consumer, provider, due_at, overdue, rounded(overdue / debt) as share, initiative, evidence
from owed
left join ranked using (scope_kind, scope)
left join evidence on evidence.id = ranked.id
order by list_position(['org', 'initiative', 'pair'], scope_kind), debt desc, scope, rank;
