-- Question: what did the contract say at which time?
-- Reads:    contract_event.
-- Gives:    contract_version; service_version, service_repo, policy_version (each valid from valid_from, before valid_to, in
--           microseconds since 1970, UTC) and the latest version of each initiative: initiative_name, initiative_mark,
--           initiative_closed.

create macro ever() as -9223372036854775807;
create macro never() as 9223372036854775807;
create macro span_us(duration) as
    regexp_extract(duration, '^\d+')::bigint * 1000000
    * case right(duration, 1) when 's' then 1 when 'm' then 60 when 'h' then 3600 when 'd' then 86400 when 'w' then 604800 end;

create table contract_version as
select kind, name, nullif(spec, 'null') as spec, coalesce(effective_from, ever()) as valid_from,
       coalesce(lead(coalesce(effective_from, ever())) over successors, never()) as valid_to,
       row_number() over (partition by kind, name order by effective_from desc nulls last, stamp desc) = 1 as is_latest
from contract_event
window successors as (partition by kind, name order by effective_from nulls first, stamp);

create table service_version as
select name as service, valid_from, valid_to, spec ->> '$.owner' as owner,
       coalesce(from_json(spec -> '$.repos', '["VARCHAR"]'), []) as repos,
       coalesce(from_json(spec -> '$.paths', '["VARCHAR"]'), []) as paths,
       coalesce(nullif(spec -> '$.environments', 'null') <> '{}', false) as declares_environments,
       list_transform(coalesce(from_json(spec -> '$.environments.production', '["VARCHAR"]'), []), lambda e: lower(e)) as production
from contract_version
where kind = 'Service' and spec is not null and valid_from < valid_to;

create table service_repo as
select distinct service, unnest(repos) as repo, paths, valid_from, valid_to from service_version;

-- One policy at a time: a contract holds one. Were there several, the first by name counts.
create table policy_version as
select name, valid_from, valid_to, coalesce(span_us(spec ->> '$.attributionWindow'), span_us('72h')) as attribution_window_us,
       coalesce(from_json(nullif(spec -> '$.rework.branches', 'null'), '["VARCHAR"]'), ['hotfix/*', 'hotfix-*', 'revert-*']) as rework_branches,
       coalesce(from_json(nullif(spec -> '$.rework.labels', 'null'), '["VARCHAR"]'), ['hotfix', 'incident', 'revert']) as rework_labels,
       coalesce(from_json(nullif(spec -> '$.exempt.branches', 'null'), '["VARCHAR"]'), []) as exempt_branches,
       coalesce(from_json(nullif(spec -> '$.exempt.labels', 'null'), '["VARCHAR"]'), []) as exempt_labels
from contract_version
where kind = 'Policy' and spec is not null and valid_from < valid_to
union all
select '~default', ever(), never(), span_us('72h'), ['hotfix/*', 'hotfix-*', 'revert-*'], ['hotfix', 'incident', 'revert'], [], [];

-- A name comes before an alias.
create table initiative_name as
with called as (
    select name as initiative, lower(name) as called, false as is_alias
    from contract_version where kind = 'Initiative' and is_latest and spec is not null
    union
    select name, lower(unnest(from_json(spec -> '$.aliases', '["VARCHAR"]'))), true
    from contract_version where kind = 'Initiative' and is_latest and spec is not null
)
select distinct initiative, called from called
qualify not is_alias or bool_and(is_alias) over (partition by called);

-- What an initiative tracks: mark is `ticket`, `label` or `service`.
create table initiative_mark as
with track as (
    select name as initiative, tracks.key as tracker, unnest(from_json(tracks.value, '["JSON"]')) as entry
    from contract_version, json_each(contract_version.spec, '$.tracks') as tracks
    where kind = 'Initiative' and is_latest and spec is not null and json_type(tracks.value) = 'ARRAY'
)
select distinct initiative, mark, value
from (
    select initiative, 'ticket' as mark, entry ->> '$.epic' as value from track
    union all select initiative, 'ticket', entry ->> '$.ticket' from track
    union all select initiative, 'label', entry ->> '$.label' from track
    union all select initiative, 'service', entry ->> '$' from track where tracker = 'service' and json_type(entry) = 'VARCHAR'
)
where value is not null;

create table initiative_closed as
select name as initiative, valid_from, valid_to from contract_version
where kind = 'Initiative' and valid_from < valid_to and spec ->> '$.stage' in ('done', 'stopped');
