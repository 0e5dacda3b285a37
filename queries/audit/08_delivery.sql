-- Question: which deployment delivered each change, and of which services is the change?
-- Reads:    change_told, claim, first_deployed, deployment, service_repo, known_graph.
-- Gives:    seed(rank): the oldest deployment of each repository and service; delivery(id, rank, method): id of the change, rank
--           of the deployment; change: the rows of change_told that are changes, with the instants (microseconds since 1970) as
--           of which the contract is asked about services (`instant`) and policy (`decided_at`); change_service(id, service);
--           change_placed(id, services, service): `service` is the one that delivered it, else the only one.

create macro matches_path(path, pattern) as
    case when regexp_matches(pattern, '[*?\[]') then path glob pattern
         else path = rtrim(pattern, '/') or starts_with(path, rtrim(pattern, '/') || '/') end;
create macro match_paths(paths, patterns) as
    len(list_filter(coalesce(paths, []), lambda path:
        len(list_filter(patterns, lambda pattern: matches_path(path, pattern))) > 0)) > 0;

create table seed as
select min(rank) as rank from deployment
where production and outcome = 'success' and repo is not null
group by repo, service;

-- What can deliver a change of the repository at all; `by_path`: whether it does depends on the paths of the change.
create table deliverable as
select rank, deployment.repo, deployment.service, finished_at, coalesce(bool_or(len(paths) > 0), false) as by_path
from deployment
left join service_repo as declared
    on declared.repo = deployment.repo and finished_at >= declared.valid_from and finished_at < declared.valid_to
where production and outcome = 'success' and deployment.repo is not null
group by rank, deployment.repo, deployment.service, finished_at
having count(declared.service) = 0 or bool_or(declared.service = deployment.service);

create macro is_deliverable_to(candidate) as table
    select id, rank
    from query_table(candidate) join change_told using (id) join deliverable using (rank)
    where not by_path or len(coalesce(paths, [])) = 0
    union all
    select id, rank
    from query_table(candidate) join change_told using (id) join deliverable using (rank)
    join service_repo as declared
        on declared.repo = deliverable.repo and finished_at >= declared.valid_from and finished_at < declared.valid_to
    where by_path and len(coalesce(change_told.paths, [])) > 0
    group by id, rank
    having bool_or(declared.service = deliverable.service and match_paths(change_told.paths, declared.paths))
        or not bool_or(match_paths(change_told.paths, declared.paths));

create table contained as
with placed as (
    select told.id, claim.sha, told.repo
    from change_told as told join claim using (repo, change)
    where claim.is_merge_sha
    union all
    select id, sha, repo from change_told where kind = 'commit'
)
select distinct placed.id, first_deployed.rank
from placed join node using (repo, sha) join first_deployed using (node);

create table delivered_by_ancestry as
select id, min(rank) as rank from is_deliverable_to('contained') group by id;

create table followed as
with without_graph as (
    select deliverable.repo, deliverable.finished_at, by_path, rank
    from deliverable join deployment using (rank)
    left join node on node.repo = deployment.repo and node.sha = deployment.sha
    where node.node is null or node.node not in (select node from known_graph)
),
waiting as (
    select told.id, told.repo, merged_at, len(coalesce(paths, [])) > 0 as has_paths
    from change_told as told anti join delivered_by_ancestry using (id)
    where merged_at is not null
)
select id, rank
from waiting
asof join (select repo, finished_at, min(rank) as rank from without_graph group by all) as next
    on next.repo = waiting.repo and merged_at <= next.finished_at
where not has_paths
union all
select id, rank
from waiting
asof join (select repo, finished_at, min(rank) as rank from without_graph where not by_path group by all) as next
    on next.repo = waiting.repo and merged_at <= next.finished_at
where has_paths
union all
select id, rank
from waiting join without_graph as later on later.repo = waiting.repo and merged_at <= later.finished_at
where has_paths and by_path;

create table delivery as
select id, rank, 'ancestry' as method from delivered_by_ancestry
union all
select id, min(rank), 'time' from is_deliverable_to('followed') group by id;

create table change as
select told.*, coalesce(deployment.finished_at, merged_at, created_at, ever()) as instant,
    coalesce(merged_at, created_at, ever()) as decided_at
from change_told as told
left join delivery using (id)
left join deployment using (rank)
where kind <> 'commit' or delivery.id is not null;

create table change_service as
with declared as (
    select change.id, declared.service, match_paths(change.paths, declared.paths) as matches
    from change join service_repo as declared
        on declared.repo = change.repo and change.instant >= declared.valid_from and change.instant < declared.valid_to
)
select id, service from declared
qualify matches or not bool_or(matches) over (partition by id)
union
select id, repo from change anti join declared using (id);

create table change_placed as
with listed as (
    select id, list(service order by service) as services, case when count(*) = 1 then any_value(service) end as only_service
    from change_service
    group by id
)
select id, services, coalesce(deployment.service, only_service) as service
from listed
left join delivery using (id)
left join deployment using (rank);
