-- Question: what did the facts of all kinds say at a point of the past, and what was taken back since?
-- Reads:    files.change_version and its like.
-- Gives:    as_of(instant), facts_at(snapshot), restatements, difference(older, newer). A field's value is JSON.

create view files.version as
from files.change_version
union all from files.deployment_version
union all from files.failure_version
union all from files.ticket_version
union all from files.wait_version
union all from files.decision_version
union all from files.artifact_version
union all from files.act_version;

create macro facts_at(number) as table
select kind, id, fact as row from files.version as said
where snapshot <= number and not retracted and not exists (
    from files.version as later
    where later.kind = said.kind and later.id = said.id and later.replaces = said.snapshot and later.snapshot <= number);

create macro as_of(instant) as table
select kind, id, fact as row from files.version as said
where taken_at <= instant::timestamptz and not retracted and not exists (
    from files.version as later
    where later.kind = said.kind and later.id = said.id and later.replaces = said.snapshot
        and later.taken_at <= instant::timestamptz);

-- A retraction is one row of the field `retracted`; a fact that comes back has one for each field as well.
create view restatements as
with pair as (
    select said.kind, said.id, said.snapshot as from_snapshot, later.snapshot as to_snapshot, later.taken_at,
        json_merge_patch(said.fact, json_object('retracted', said.retracted)) as old,
        json_merge_patch(later.fact, json_object('retracted', later.retracted)) as new,
        later.retracted
    from files.version as later
    join files.version as said on said.kind = later.kind and said.id = later.id and said.snapshot = later.replaces
    where later.replaces is not null
),
field as (
    select *, unnest(case when retracted then ['retracted'] else json_keys(new) end) as field from pair
)
select kind, id, field, json_extract(old, '$."' || field || '"') as old_value, json_extract(new, '$."' || field || '"') as new_value,
    from_snapshot, to_snapshot, taken_at
from field
where old_value is distinct from new_value;

create macro difference(older, newer) as table
with pair as (
    select coalesce(was.kind, now.kind) as kind, coalesce(was.id, now.id) as id, was.row as old, now.row as new,
        case when old is null then 'added' when new is null then 'removed' else 'changed' end as what
    from facts_at(older) as was
    full join facts_at(newer) as now
        on was.kind = now.kind and was.id = now.id
    where old is distinct from new
),
field as (
    select *, unnest(case when what = 'changed' then json_keys(new) else [null] end) as field from pair
)
select kind, id, what, field,
    case when field is null then old else json_extract(old, '$."' || field || '"') end as old_value,
    case when field is null then new else json_extract(new, '$."' || field || '"') end as new_value
from field
where old_value is distinct from new_value;
