-- Question: which delivered changes took longest, in which part did the time go, and what is the evidence?
-- Columns:
--   change  pull request, or commit
--   title  title
--   service  service that delivered it
--   team  team that owned the service then
--   initiative  initiative that it serves; null: none for certain
--   first_commit  commit with which it began
--   started_at  when that was authored (else when the change was opened)
--   deployed_at  finish of the first successful production deployment that contains it
--   lead_time [seconds]  between these two
--   coding_time [seconds]  first commit authored to opened
--   pickup_time [seconds]  opened to the first word by somebody else
--   review_time [seconds]  first word to merged
--   deploy_time [seconds]  merged to deployed
--   longest_part  the longest of the four
--   deployment  the source's id of the deployment
--   version  version that was deployed
--   url  where the deployment can be seen
--   method  how the deployment was found: ancestry or time
--   evidence  what linked the change to its initiative
-- Parameters:
--   days = 28  UTC days that end with the day of the snapshot
--   team = null  only changes of this team
--   limit = 20  how many

with last as (select (max_by(as_of, number) at time zone 'UTC')::date as day from snapshots),
slow as (
    select changes.* from changes, last
    where excluded is null and lead_time is not null and ($team::varchar is null or team = $team::varchar)
        and (deployed_at at time zone 'UTC')::date between day - $days::integer + 1 and day
    order by lead_time desc, id limit $limit::integer
),
first_commit as (
    select slow.id, min(sha) as sha from slow
    join commits on commits.repo = slow.repo and commits.authored_at = slow.authored_at
    where slow.kind = 'pull_request' group by slow.id
)
select slow.id as change, title, slow.service, slow.team, initiative,
    case when slow.kind = 'commit' then split_part(slow.id, '@', -1) else first_commit.sha end as first_commit,
    coalesce(authored_at, created_at) as started_at, deployed_at, lead_time, coding_time, pickup_time, review_time, deploy_time,
    case greatest(coding_time, pickup_time, review_time, deploy_time)
        when coding_time then 'coding' when pickup_time then 'pickup' when review_time then 'review' when deploy_time then 'deploy'
    end as longest_part,
    deployments.deployment, version, url, slow.method, evidence
from slow
left join first_commit using (id)
left join deployments on deployments.id = slow.deployment
order by lead_time desc, change;
