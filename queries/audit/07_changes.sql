-- Question: which changes are there, what belongs to them, and what happened to them up to the merge?
-- Reads:    change_event, commit_event, push_event, link_held, first_deployed.
-- Gives:    commit_known; claim(repo, change, sha); change_told: one row for each change, and for each commit that belongs to
--           none and was deployed by whatever service. Instants: microseconds since 1970, UTC.

create table commit_known as
select repo, sha, min(authored_at) as authored_at, arg_max(title, stamp) as title, min(assistant) as assistant,
       max(coalesce(len(parents), 0)) > 1 as is_merge, list_distinct(flatten(list(refs))) as refs,
       flatten(list(paths) filter (paths is not null)) as paths
from commit_event
group by repo, sha;

create table change_lifecycle as
select repo, change,
    min(time_us) filter (what = 'created') as created_at,
    min(time_us) filter (what = 'merged') as merged_at,
    max(time_us) filter (what = 'abandoned') as abandoned_at,
    max(time_us) filter (what = 'created' or (what = 'updated' and not closed)) as seen_open_at,
    arg_min(author, stamp) filter (what = 'created' and author is not null) as author,
    min(assistant) filter (what = 'created') as opened_by,
    coalesce(arg_max({'title': title, 'branch': branch, 'labels': labels, 'refs': refs, 'assistant': assistant}, stamp) filter (what = 'updated'),
             {'title': '', 'branch': null, 'labels': [], 'refs': [], 'assistant': null}) as snapshot
from change_event
group by repo, change;

create table first_review as
select repo, change, min(time_us) as first_review_at
from change_event join change_lifecycle as life using (repo, change)
where what = 'reviewed' and not automated and (reviewer is null or life.author is null or reviewer <> life.author)
group by repo, change;

-- `is_own`: the change lists the commit or had it as its head, rather than that the merge made it.
create table claim as
with own as (
    select repo, change, unnest(commits) as sha from change_event
    union
    select repo, change, head_sha from change_event where head_sha is not null
),
made as (
    select repo, change, arg_min(merge_sha, stamp) as sha from change_event where merge_sha is not null group by repo, change
),
arrived as (
    select tip.repo, tip.change, unnest(push.news) as sha
    from (select repo, change, head_sha as sha from change_event where head_sha is not null union select * from made) as tip
    join push_event as push on push.repo = tip.repo and push.after = tip.sha
)
select repo, change, sha, bool_or(is_own) as is_own, bool_or(is_merge_sha) as is_merge_sha
from (
    select *, true as is_own, false as is_merge_sha from own
    union all select *, false, true from made
    union all select *, false, false from arrived
)
group by repo, change, sha;

create table claimed as
select repo, change, min(authored_at) filter (is_own or not is_merge_sha) as authored_at, min(assistant) as assistant,
    flatten(list(refs)) as refs, flatten(list(paths) filter (paths is not null)) as paths
from claim join commit_known using (repo, sha)
group by repo, change;

create table change_told as
with told as (
    select change as id, 'pull_request' as kind, repo, change, null::varchar as sha, created_at, merged_at, first_review_at,
        claimed.authored_at, merged_at is null and coalesce(abandoned_at >= coalesce(seen_open_at, abandoned_at), false) as abandoned,
        snapshot.title, snapshot.branch, snapshot.labels, snapshot.refs as own_refs,
        list_concat(snapshot.refs, coalesce(claimed.refs, [])) as refs, paths,
        least(opened_by, snapshot.assistant, claimed.assistant) as assistant
    from change_lifecycle as life
    left join first_review using (repo, change)
    left join claimed using (repo, change)
    union all
    select repo || '@' || sha, 'commit', repo, null, sha, null, null, null, authored_at, false, title, null, [], refs, refs, paths, assistant
    from commit_known
    anti join claim using (repo, sha)
    where not is_merge
        and exists (from first_deployed join node using (node) where node.repo = commit_known.repo and node.sha = commit_known.sha)
)
select told.* replace (with_reference(refs, 'initiative', link.initiative) as refs)
from told
left join link_held as link on link.kind = 'change' and link.subject = id;
