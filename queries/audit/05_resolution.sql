-- Question: which service, team and environment did the contract mean at the time of each deployment and failure?
-- Reads:    deployment_told, failure_told, service_version, service_repo.
-- Gives:    deployment, failure: as told, with service, team and production resolved; deployments ranked by
--           (finished_at, id), the order in which "earliest" and "latest" are meant. policy_at(at, ...) for failures.

create macro production_by_name(environment) as
    len(list_intersect(regexp_split_to_array(lower(environment), '[^\p{L}\p{N}]+'), ['production', 'prod', 'prd', 'live'])) > 0
    and len(list_intersect(regexp_split_to_array(lower(environment), '[^\p{L}\p{N}]+'),
                           ['non', 'not', 'no', 'pre', 'test', 'staging', 'stage', 'nonprod', 'preprod', 'dev'])) = 0;

create table resolved as
with question as (
    select named, repo, instant from deployment_told
    union
    select told.named, told.repo, instant from failure_told
),
by_repo as (
    select repo, instant, any_value(service) as service
    from (select distinct repo, instant from question where repo is not null) as question join service_repo using (repo)
    where instant >= valid_from and instant < valid_to
    group by repo, instant
    having count(distinct service) = 1
)
select question.*, coalesce(by_name.service, by_repo.service, nullif(named, ''), question.repo, 'unknown') as service,
       coalesce(by_name.owner, its.owner) as team,
       coalesce(by_name.declares_environments, its.declares_environments, false) as declares_environments,
       coalesce(by_name.production, its.production) as production
from question
left join service_version as by_name
    on by_name.service = named and instant >= by_name.valid_from and instant < by_name.valid_to
left join by_repo on by_repo.repo = question.repo and by_repo.instant = question.instant and by_name.service is null
left join service_version as its
    on its.service = by_repo.service and question.instant >= its.valid_from and question.instant < its.valid_to;

create macro is_production(environment, resolved) as
    case when resolved.declares_environments then list_contains(resolved.production, lower(environment))
         else production_by_name(environment) end;

create table deployment as
select told.*, resolved.service, resolved.team, is_production(environment, resolved) as production,
       row_number() over (order by finished_at, id) as rank
from deployment_told as told
join resolved on resolved.named is not distinct from told.named and resolved.repo is not distinct from told.repo
    and resolved.instant = told.instant;

-- A failure of which neither service nor repository is known is nobody's, rather than of the service `unknown`.
create table failure as
select told.* exclude (told), unnest(told.told),
       case when coalesce(told.told.named, told.told.repo) is not null then resolved.service end as service, resolved.team,
       case when told.told.environment is not null and not is_production(told.told.environment, resolved)
            then 'not_production' end as excluded
from failure_told as told
join resolved on resolved.named is not distinct from told.told.named
    and resolved.repo is not distinct from told.told.repo and resolved.instant = told.instant;
