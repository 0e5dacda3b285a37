-- Question: which deployment of each service was the first to contain each commit?
-- Reads:    commit_event, push_event, deployment.
-- Gives:    node(node, repo, sha); edge(child, parent): child contains parent; first_deployed(node, service, rank): the
--           smallest rank of a successful production deployment at the node or at one that contains it.

create table edge_told as
select repo, sha as child, unnest(parents) as parent from commit_event
union
select repo, after, unnest(commits) from push_event
union
select repo, after, before from push_event where not forced and before is not null;

create table node as
select row_number() over () as node, repo, sha
from (
    select repo, child as sha from edge_told
    union select repo, parent from edge_told
    union select repo, sha from commit_event
    union select repo, sha from deployment where repo is not null and sha is not null
);

create table edge as
select child.node as child, parent.node as parent
from edge_told as told
join node as child on child.repo = told.repo and child.sha = told.child
join node as parent on parent.repo = told.repo and parent.sha = told.parent;

-- Without edges that lead on, nobody knows what a node contains.
create table known_graph as select distinct child as node from edge;

create table deployed_at_node as
select node.node, deployment.service, min(deployment.rank) as rank
from deployment join node on node.repo = deployment.repo and node.sha = deployment.sha
where deployment.production and deployment.outcome = 'success'
group by node.node, deployment.service;

-- Ranks travel from a node to what it contains, only where they are an improvement; so the order of arrival does not matter.
create table first_deployed as
with recursive reached(node, service, rank) using key (node, service) as (
    select node, service, rank from deployed_at_node
    union
    select edge.parent, reached.service, min(reached.rank)
    from reached
    join edge on edge.child = reached.node
    left join recurring.reached as known on known.node = edge.parent and known.service = reached.service
    where known.rank is null or reached.rank < known.rank
    group by edge.parent, reached.service
)
select * from reached;
