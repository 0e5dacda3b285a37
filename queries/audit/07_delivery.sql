-- Question: which deployment delivered each change?
-- Reads:    change_told, change_service, claim, first_deployed, deployment, known_graph.
-- Gives:    delivery(id, rank, method): id of the change, rank of the deployment; seed(rank): the oldest deployment of each
--           repository and service.

create table seed as
select min(rank) as rank from deployment
where production and outcome = 'success' and repo is not null
group by repo, service;

create table delivery as
with placed as (
    select change.id, claim.sha, change.repo
    from change_told as change join claim using (repo, change)
    where claim.is_merge_sha
    union all
    select id, sha, repo from change_told where kind = 'commit'
),
contained as (
    select placed.id, first_deployed.rank, own.id is not null as is_own
    from placed
    join node using (repo, sha)
    join first_deployed using (node)
    left join change_service as own on own.id = placed.id and own.service = first_deployed.service
),
by_ancestry as (
    select id, coalesce(min(rank) filter (is_own), min(rank)) as rank from contained group by id
),
without_graph as (
    select deployment.repo, service, finished_at, min(rank) as rank
    from deployment
    left join node on node.repo = deployment.repo and node.sha = deployment.sha
    where production and outcome = 'success' and (node.node is null or node.node not in (select node from known_graph))
    group by deployment.repo, service, finished_at
),
waiting as (
    select change.id, change.repo, change_service.service, merged_at
    from change_told as change join change_service using (id) anti join by_ancestry using (id)
    where merged_at is not null
),
by_time as (
    select id, min(rank) as rank
    from waiting
    asof join without_graph
        on without_graph.repo = waiting.repo and without_graph.service = waiting.service and merged_at <= finished_at
    group by id
)
select id, rank, 'ancestry' as method from by_ancestry
union all
select id, rank, 'time' from by_time;
