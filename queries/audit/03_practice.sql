-- Question: what did the contract say about teams, statuses, expectations, decisions and agents, at which time?
-- Reads:    contract_version, service_version.
-- Gives:    team_word(word, valid_from, team), repo_owner(repo, valid_from, owner): who is meant from then on, null: nobody;
--           agreement(team, other, valid_from, valid_to, mode, expect); practice(valid_from, ...): what the policy says from then
--           on; decision_class, agent_rule of each practice; decision_item(types, labels); status_map, status_word.
--           What holds from valid_from on is found with an `asof` join. Instants and spans: microseconds.

create macro texts(list) as coalesce(from_json(nullif(list, 'null'), '["VARCHAR"]'), []);
create macro lowered(list) as list_transform(list, lambda text: lower(text));

create table team_version as
select name as team, valid_from, valid_to, lowered(texts(spec -> '$.aliases')) as aliases, spec -> '$.interactions' as interactions
from contract_version
where kind = 'Team' and spec is not null and valid_from < valid_to;

create table team_word as
with called as (
    select team, lower(team) as word, false as is_alias, valid_from, valid_to from team_version
    union
    select team, unnest(aliases), true, valid_from, valid_to from team_version
),
turn as (
    select word, valid_from as instant from called union select word, valid_to from called
)
select turn.word, instant as valid_from,
    case when count(*) filter (not is_alias) > 0 then any_value(team) filter (not is_alias)
         when count(distinct team) = 1 then any_value(team) end as team
from turn
left join called on called.word = turn.word and turn.instant >= called.valid_from and turn.instant < called.valid_to
group by turn.word, instant;

create table repo_owner as
with listed as (
    select service, unnest(list_distinct(repos)) as repo, owner, valid_from, valid_to from service_version
),
turn as (
    select repo, valid_from as instant from listed union select repo, valid_to from listed
)
select turn.repo, instant as valid_from, case when count(listed.service) = 1 then any_value(owner) end as owner
from turn
left join listed on listed.repo = turn.repo and turn.instant >= listed.valid_from and turn.instant < listed.valid_to
group by turn.repo, instant;

create table agreement as
select team, entry ->> '$.with' as other, valid_from, valid_to, entry ->> '$.mode' as mode, entry -> '$.expect' as expect
from (
    select team, valid_from, valid_to, unnest(entries) as entry, generate_subscripts(entries, 1) as position
    from (select *, from_json(nullif(interactions, 'null'), '["JSON"]') as entries from team_version)
)
qualify row_number() over (partition by team, other, valid_from order by position desc) = 1;

-- Of several policies the first by name that holds counts.
create table practice as
with policy as (
    select name, valid_from, valid_to, spec from contract_version where kind = 'Policy' and spec is not null and valid_from < valid_to
    union all
    select '~default', ever(), never(), '{}'::json
),
turn as (
    select valid_from as instant from policy union select valid_to from policy where valid_to < never()
),
holding as (
    select instant as valid_from, arg_min(spec, name) as spec
    from turn join policy on instant >= policy.valid_from and instant < policy.valid_to
    group by instant
)
select valid_from, spec,
    coalesce(span_us(spec ->> '$.expectations.dependency'), span_us('5d')) as dependency_us,
    coalesce(span_us(spec ->> '$.expectations.review'), span_us('1d')) as review_us,
    coalesce(span_us(spec ->> '$.expectations.handoff'), span_us('2d')) as handoff_us,
    coalesce(span_us(spec ->> '$.expectations.decision'), span_us('3d')) as decision_us,
    len(texts(spec -> '$.agents.automated')) + len(texts(spec -> '$.agents.human')) + len(texts(spec -> '$.agents.crossFunctional')) > 0
        as bounds_agents
from holding;

create table decision_class as
select valid_from, class.key as category, span_us(class.value ->> '$.latencyTarget') as target_us, texts(class.value -> '$.approvers') as approvers
from practice, json_each(practice.spec, '$.decisions') as class;

create table agent_rule as
select valid_from, action, arg_min(rule, position) as rule
from (
    select valid_from, 1 as position, 'automated' as rule, lower(unnest(texts(spec -> '$.agents.automated'))) as action from practice
    union all select valid_from, 2, 'human', lower(unnest(texts(spec -> '$.agents.human'))) from practice
    union all select valid_from, 3, 'crossFunctional', lower(unnest(texts(spec -> '$.agents.crossFunctional'))) from practice
)
group by valid_from, action;

-- Which work items are decisions is asked of the latest policy.
create table decision_item as
select coalesce(from_json(nullif(spec -> '$.decisionItems.types', 'null'), '["VARCHAR"]'), ['decision']) as types,
       coalesce(from_json(nullif(spec -> '$.decisionItems.labels', 'null'), '["VARCHAR"]'), ['decision', 'decision/*', 'decision:*']) as labels
from (
    select name, spec from contract_version where kind = 'Policy' and is_latest and spec is not null
    union all
    select '~default', '{}'::json
)
order by name limit 1;

create table status_map as
select name, lower(spec ->> '$.tracker') as tracker, spec
from contract_version
where kind = 'StatusMap' and is_latest and spec is not null;

-- Of words that differ in case alone the first in order counts.
create table status_word as
select name as map, 'status' as of_what, lower(entry.key) as word, arg_min(entry.value ->> '$', entry.key) as meaning
from status_map, json_each(status_map.spec, '$.map') as entry
group by name, lower(entry.key)
union all
select name, 'type', lower(entry.key), arg_min(entry.value ->> '$', entry.key)
from status_map, json_each(status_map.spec, '$.types') as entry
group by name, lower(entry.key);
