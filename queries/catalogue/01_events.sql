-- Question: which events does the log hold, and what do those say that facts are explained with?
-- Reads:    files.event, every row ever written; files.withdrawn(position), the events that the log has taken back.
-- Gives:    events, commits, releases, contract_objects(_history), teams, services, initiatives.

create view events as
select position, id, source, type, time, recorded, subject, partitionkey, payload::json as payload, snapshot, taken_at
from files.event
where not retracted and position not in (select position from files.withdrawn);

create view commits as
with told as (
    select position, json_transform(payload, '{"repo": "VARCHAR", "sha": "VARCHAR", "authored_at": "VARCHAR",
        "committed_at": "VARCHAR", "parents": ["VARCHAR"], "title": "VARCHAR"}') as payload
    from files.commit_event
    where not retracted and position not in (select position from files.withdrawn)
)
select payload.repo, payload.sha, min(payload.authored_at::timestamptz) as authored_at,
    min(payload.committed_at::timestamptz) as committed_at,
    arg_max(payload.parents, len(payload.parents)) as parents,
    coalesce(max(payload.title) filter (payload.title <> ''), '') as title
from told
group by all;

create view releases as
select payload ->> '$.repo' as repo, payload ->> '$.tag' as tag, min_by(payload ->> '$.sha', time) as sha,
    min_by(payload ->> '$.version', time) as version, min(time) as published_at,
    min_by(coalesce((payload ->> '$.prerelease')::boolean, false), time) as prerelease, min_by(payload ->> '$.url', time) as url
from events
where starts_with(type, 'dev.cdevents.artifact.published.')
group by all;

create view contract_objects_history as
select payload ->> '$.kind' as kind, payload ->> '$.name' as name, payload -> '$.spec' as spec,
    payload ->> '$.metadata.displayName' as display_name, (payload ->> '$.effective_from')::timestamptz as effective_from,
    time as declared_at, id
from events
where type = 'dev.cdeventsx.leadline-contract.declared.1.0.0';

-- The latest word on each object, as initiatives are resolved; services and teams hold from `effective_from` on.
create view contract_objects as
from contract_objects_history
qualify row_number() over (
    partition by kind, name order by coalesce(effective_from, '-infinity'::timestamptz) desc, declared_at desc, id desc) = 1;

create view teams as
select name, display_name, spec ->> '$.type' as type, effective_from, declared_at
from contract_objects where kind = 'Team' and json_type(spec) = 'OBJECT';

create view services as
select name, display_name, spec ->> '$.owner' as owner, (spec -> '$.repos')::varchar[] as repos, effective_from, declared_at
from contract_objects where kind = 'Service' and json_type(spec) = 'OBJECT';

create view initiatives as
select name, display_name, spec ->> '$.owner' as owner, spec ->> '$.stage' as stage, effective_from, declared_at
from contract_objects where kind = 'Initiative' and json_type(spec) = 'OBJECT';
