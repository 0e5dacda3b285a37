-- Question: what is different since the snapshot before: facts that are new, gone, or say something else than was reported?
-- Columns:
--   kind  kind of the fact: change, deployment, ticket, wait ...
--   id  id of the fact
--   what  added, removed or changed
--   title  title of the fact, version of a deployment
--   field  field that changed; null: the whole fact
--   old_value [json]  what was reported; null for the whole fact
--   new_value [json]  what is reported now; null for the whole fact
-- Parameters:
--   since = null  number of the snapshot to compare with, 0: before the first; null: the one before the latest
--   limit = 200  how many, facts that are gone or changed first

with last as (select max(number) as number from snapshots),
bounds as (
    select case
        when $since::bigint > number then error('there is no snapshot ' || $since::bigint || '; the latest is ' || number)
        when $since::bigint is null and number = 1
            then error('there is no earlier snapshot to compare with; since=0 lists every fact as added')
        else coalesce($since::bigint, number - 1) end as older
    from last
),
was as (
    select said.kind, said.id, said.fact as row from files.version as said, bounds
    where snapshot <= older and not retracted and not exists (
        from files.version as later, bounds where later.kind = said.kind and later.id = said.id
            and later.replaces = said.snapshot and later.snapshot <= older)
),
now as (
    select said.kind, said.id, said.fact as row from files.version as said
    where not retracted and not exists (
        from files.version as later where later.kind = said.kind and later.id = said.id and later.replaces = said.snapshot)
),
pair as (
    select coalesce(was.kind, now.kind) as kind, coalesce(was.id, now.id) as id, was.row as old, now.row as new,
        case when old is null then 'added' when new is null then 'removed' else 'changed' end as what
    from was full join now on was.kind = now.kind and was.id = now.id
    where old is distinct from new
),
field as (
    select *, unnest(case when what = 'changed' then json_keys(new) else [null] end) as field from pair
)
select kind, id, what, coalesce(coalesce(new, old) ->> '$.title', coalesce(new, old) ->> '$.version') as title, field,
    json_extract(old, '$."' || field || '"') as old_value, json_extract(new, '$."' || field || '"') as new_value
from field
where what <> 'changed' or json_extract(old, '$."' || field || '"') is distinct from json_extract(new, '$."' || field || '"')
order by what desc, kind, id, field limit $limit::integer;
