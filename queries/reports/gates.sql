-- Question: which gates, exemptions and evidence horizons of initiatives are due soon or overdue, and what is missing?
-- Columns:
--   what  gate: from bet to commit; exemption: leave to be without it; horizon: by when evidence must be in
--   initiative  initiative
--   owner  team that answers for it
--   stage  its stage
--   due_on  the last day (UTC) on which it is not overdue; null: it is in stage commit without what its gate asks for
--   days_left [days]  from the day of the snapshot on; negative: overdue
--   missing  of a gate or exemption: owner, outcomes, horizon, decision; of a horizon: outcomes that were never sampled
--   passes  nothing is missing, or an exemption holds; null: a horizon
--   decision  decision that it names
--   decision_status  status of that; null: no such decision was recorded
--   lacking  whom that decision lacks
--   exempt_until  last day of its exemption
--   reason  why it is exempt
-- Parameters:
--   days = 14  due within so many days

with moment as (from moment(null::timestamptz)),
held as (
    select kind, name, spec
    from contract_objects_history, moment
    where coalesce(effective_from, '-infinity'::timestamptz) <= instant
    qualify row_number() over (
        partition by kind, name order by coalesce(effective_from, '-infinity'::timestamptz) desc, declared_at desc, id desc) = 1
),
intent as (
    select name as initiative, spec ->> '$.stage' as stage, spec ->> '$.owner' as owner, spec ->> '$.horizon' as horizon,
        coalesce(spec ->> '$.outcomes[*].metric', []) as outcomes, spec ->> '$.decision' as decision,
        try_cast(spec ->> '$.commitBy' as date) as commit_by, try_cast(spec ->> '$.exemption.until' as date) as exempt_until,
        spec ->> '$.exemption.reason' as reason
    from held where kind = 'Initiative' and json_type(spec) = 'OBJECT'
),
team as (
    select name from held where kind = 'Team' and json_type(spec) = 'OBJECT'
),
sampled as (
    select coalesce(list(distinct payload ->> '$.metric'), []) as metrics
    from events where starts_with(type, 'dev.cdeventsx.leadline-outcome.sampled.')
),
judged as (
    select intent.*, day, status as decision_status, coalesce(lacking, []) as lacking, decided_at,
        list_filter([
            case when team.name is null then 'owner' end,
            case when len(outcomes) = 0 then 'outcomes' end,
            case when horizon is null then 'horizon' end,
            case when status is distinct from 'accepted' or len(lacking) > 0 then 'decision' end
        ], lambda part: part is not null) as missing,
        len(missing) = 0 or coalesce(day <= exempt_until, false) as passes,
        list_filter(outcomes, lambda metric: not list_contains(metrics, metric)) as unread
    from intent
    left join team on team.name = intent.owner
    left join decisions on decisions.id = intent.decision, moment, sampled
),
dated as (
    select 'gate' as what, *, case when stage not in ('commit', 'done', 'stopped') then commit_by end as due_on
    from judged where due_on is not null or (stage = 'commit' and len(missing) > 0)
    union all by name
    select 'exemption' as what, *, exempt_until as due_on from judged where exempt_until is not null and len(missing) > 0
    union all by name
    select 'horizon' as what, * replace (unread as missing, null as passes),
        coalesce(try_cast(horizon as date), day_of(decided_at + duration(horizon))) as due_on
    from judged where stage = 'commit' and due_on is not null and len(unread) > 0
)
select what, initiative, owner, stage, due_on, due_on - day as days_left, missing, passes, decision, decision_status, lacking,
    exempt_until, reason
from dated
where coalesce(due_on - day, 0) <= $days::integer
order by due_on nulls first, initiative, what;
