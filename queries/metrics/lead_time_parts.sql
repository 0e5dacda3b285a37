-- Question: where does the lead time go, by service: coding, waiting for review, review, or waiting for deployment?
--           The parts of one change add up to its lead time; percentiles of parts do not, so `share_` is of the sums.
-- Columns:
--   service  service that delivered the changes
--   changes [items]  changes with a lead time
--   lead_time_p50 [seconds]  first commit authored to deployed
--   lead_time_p85 [seconds]  the same, of the slow ones
--   coding_p50 [seconds]  first commit authored to opened
--   pickup_p50 [seconds]  opened to the first word by somebody else
--   review_p50 [seconds]  first word to merged
--   deploy_p50 [seconds]  merged to deployed
--   coding_share [ratio]  of the sum of all known parts
--   pickup_share [ratio]  of the sum of all known parts
--   review_share [ratio]  of the sum of all known parts
--   deploy_share [ratio]  of the sum of all known parts
--   open_changes [items]  pull requests of the service that are not yet deployed, whose wait is not in these numbers
-- Parameters:
--   days = 28  UTC days that end with the day of the snapshot
--   team = null  only services of this team

with last as (select (max_by(as_of, number) at time zone 'UTC')::date as day from snapshots),
delivered as (
    select changes.* from changes, last
    where excluded is null and lead_time is not null and ($team::varchar is null or team = $team::varchar)
        and (deployed_at at time zone 'UTC')::date between day - $days::integer + 1 and day
),
waiting as (
    select service, count(*) as open_changes from changes
    where kind = 'pull_request' and created_at is not null and status in ('open', 'merged') group by service
)
select service, count(*) as changes,
    rounded(quantile_of(list(lead_time order by lead_time), 0.5)) as lead_time_p50,
    rounded(quantile_of(list(lead_time order by lead_time), 0.85)) as lead_time_p85,
    rounded(quantile_cont(coding_time, 0.5)) as coding_p50, rounded(quantile_cont(pickup_time, 0.5)) as pickup_p50,
    rounded(quantile_cont(review_time, 0.5)) as review_p50, rounded(quantile_cont(deploy_time, 0.5)) as deploy_p50,
    sum(coding_time) / total as coding_share, sum(pickup_time) / total as pickup_share,
    sum(review_time) / total as review_share, sum(deploy_time) / total as deploy_share,
    coalesce(any_value(open_changes), 0) as open_changes
from delivered
left join waiting using (service),
lateral (select nullif(sum(coalesce(each.coding_time, 0) + coalesce(each.pickup_time, 0) + coalesce(each.review_time, 0)
                + coalesce(each.deploy_time, 0)), 0) as total
         from delivered as each where each.service is not distinct from delivered.service)
group by service, total
order by lead_time_p50 desc, service;
