-- Question: which releases were published, which deployment brought each into production, and how fresh was what it held?
-- Columns:
--   published_at  when it was published
--   repo  repository
--   tag  tag
--   prerelease  not meant for everybody
--   sha  commit
--   service  service that was deployed; null: no deployment of it is known
--   deployed_at  finish of its first successful production deployment
--   outcome  outcome of its first deployment
--   failed  it failed, or an incident or a rollback is put down to it
--   changes [items]  changes that it was the first to deliver
--   lead_time_p50 [seconds]  of these changes; null: none has one
--   initiatives  initiatives that they serve
--   url  where it can be seen
-- Parameters:
--   repo = null  only this repository
--   limit = 100  how many, the latest first

with latest as (
    select * from releases where $repo::varchar is null or repo = $repo::varchar
    order by published_at desc, repo, tag limit $limit::integer
),
brought as (
    select latest.repo, latest.tag, deployments.*
    from latest join deployments on deployments.repo = latest.repo and production
        and (deployments.sha = latest.sha or deployments.version in (latest.tag, latest.version))
    qualify row_number() over (partition by latest.repo, latest.tag
        order by outcome <> 'success', finished_at nulls last, deployments.id) = 1
),
fresh as (
    select deployment as id, list(lead_time order by lead_time) as spans
    from changes where excluded is null and lead_time is not null and deployment is not null group by deployment
)
select published_at, latest.repo, latest.tag, prerelease, latest.sha, brought.service,
    case when outcome = 'success' then finished_at end as deployed_at, outcome, failed, coalesce(changes, 0) as changes,
    case when len(spans) > 0 then rounded(quantile_of(spans, 0.5)) end as lead_time_p50, coalesce(initiatives, []) as initiatives,
    coalesce(latest.url, brought.url) as url
from latest
left join brought on brought.repo = latest.repo and brought.tag = latest.tag
left join fresh on fresh.id = brought.id
order by published_at desc, latest.repo, latest.tag;
