-- Question: what was changed of an initiative after it was committed to, and did anybody decide that?
-- Columns:
--   initiative  initiative
--   owner  team that answers for it
--   changed_at  since when the change holds
--   declared_at  when it was declared
--   fields  what says something else: owner, outcomes, horizon, tracks, assumptions
--   before  what these said before
--   after  what they say since
--   controlled  a decision stands behind it
--   decision  another decision that it names, or the latest that was accepted in between; null: none
--   declaration  id of the event that declared it
-- Parameters:
--   controlled = false  true: those that a decision stands behind as well
--   initiative = null  only this initiative

with version as (
    select name as initiative, id as declaration, spec, spec ->> '$.owner' as owner, spec ->> '$.stage' as stage,
        spec ->> '$.decision' as named, declared_at, coalesce(effective_from, declared_at) as since,
        coalesce(effective_from, '-infinity'::timestamptz) as start
    from contract_objects_history, moment(null::timestamptz)
    where kind = 'Initiative' and start <= instant and ($initiative::varchar is null or name = $initiative::varchar)
    -- What is declared again from the same instant on never held.
    qualify row_number() over (partition by name, start order by declared_at desc, id desc) = 1
),
follower as (
    select *, lag(spec) over past as spec_before, lag(named) over past as named_before, lag(since) over past as since_before,
        bool_or(stage = 'commit') over (past rows between unbounded preceding and 1 preceding) as was_committed
    from version where json_type(spec) = 'OBJECT'
    window past as (partition by initiative order by start)
),
-- What a part says, whatever the order of its keys.
said as (
    select declaration, field, side, list(fullkey || ' = ' || atom order by fullkey) filter (atom is not null) as says
    from (select declaration, unnest(['owner', 'outcomes', 'horizon', 'tracks', 'assumptions']) as field, side, spec
          from (select declaration, unnest([{'side': 'before', 'spec': spec_before}, {'side': 'after', 'spec': spec}], recursive := true)
                from follower where was_committed and stage = 'commit')) as part
    left join lateral (select fullkey, atom from json_tree(part.spec -> ('$.' || part.field))) on true
    group by all
),
changed as (
    select declaration, list(field order by list_position(['owner', 'outcomes', 'horizon', 'tracks', 'assumptions'], field)) as fields
    from (pivot said on side in ('before', 'after') using any_value(says) group by declaration, field)
    where before is distinct from after
    group by declaration
),
judged as (
    select follower.*, fields, case when named is distinct from named_before then named end as other,
        (select arg_max(decisions.id, (decided_at, decisions.id)) from decisions
         where decisions.initiative = follower.initiative and outcome = 'accepted'
             and decided_at > since_before and decided_at <= since) as accepted
    from follower join changed using (declaration)
)
select initiative, owner, since as changed_at, declared_at, fields,
    list_transform(fields, lambda field: spec_before ->> ('$.' || field)) as before,
    list_transform(fields, lambda field: spec ->> ('$.' || field)) as after,
    coalesce(other, accepted) is not null as controlled, coalesce(other, accepted) as decision, declaration
from judged
where $controlled::boolean or not controlled
order by changed_at desc, initiative, declaration;
