-- Question: is every commit, pull request and release that the sources told of accounted for: counted, or left out why?
-- Columns:
--   what  commit, pull request or release
--   repo  repository
--   fate  what became of them; `counted` ones are in the metrics
--   items [items]  how many
--   told [items]  how many of this kind the events tell of in this repository: the sum of its fates
-- Parameters:
--   repo = null  only this repository

with claim as (
    select payload ->> '$.repo' as repo, payload ->> '$.change' as change, payload ->> '$.head_sha' as sha, true as leads
    from events where starts_with(type, 'dev.cdevents.change.updated.')
    union all
    select payload ->> '$.repo', payload ->> '$.change', unnest((payload -> '$.commits')::varchar[]), false
    from events where starts_with(type, 'dev.cdevents.change.updated.')
    union all
    select payload ->> '$.repo', payload ->> '$.change', payload ->> '$.merge_sha', true
    from events where starts_with(type, 'dev.cdevents.change.merged.')
),
pushed as (
    select payload ->> '$.repo' as repo, payload ->> '$.after' as after, unnest((payload -> '$.distinct')::varchar[]) as sha
    from events where starts_with(type, 'dev.cdeventsx.leadline-branch.updated.')
),
claimed as (
    select repo, sha from claim where sha is not null
    union
    select pushed.repo, pushed.sha from pushed join claim on claim.repo = pushed.repo and claim.sha = pushed.after and claim.leads
),
item as (
    select 'commit' as what, commits.repo,
        case when changes.excluded = 'seed' then 'seed'
             when changes.id is not null then 'counted'
             when claimed.sha is not null then 'claimed by a change'
             when len(parents) > 1 then 'merge commit'
             else 'not yet deployed' end as fate
    from commits
    left join changes on changes.kind = 'commit' and changes.id = commits.repo || '@' || commits.sha
    left join claimed on claimed.repo = commits.repo and claimed.sha = commits.sha
    union all
    select 'pull request', repo,
        case when excluded = 'seed' then 'seed' when status = 'deployed' then 'counted'
             when status = 'abandoned' then 'abandoned' else 'not yet deployed' end
    from changes where kind = 'pull_request'
    union all
    select 'release', repo, coalesce(
        (select min(case when not production then 'not production' when outcome in ('success', 'failure') then 'counted'
                         else outcome end)
         from deployments
         where deployments.repo = releases.repo and (deployments.sha = releases.sha or version in (tag, releases.version))),
        case when prerelease then 'prerelease' else 'no deployment' end)
    from releases
)
select what, repo, fate, count(*) as items, sum(count(*)) over (partition by what, repo)::bigint as told
from item
where $repo::varchar is null or repo = $repo::varchar
group by what, repo, fate
order by what, repo, items desc, fate;
