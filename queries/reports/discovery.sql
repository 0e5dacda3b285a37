-- Question: between which teams are dependencies found late, after work has begun?
-- Columns:
--   consumer  team that waits
--   provider  team that it waits for
--   mode  how the two interacted when the latest of them was added, or implicit
--   dependencies [items]  dependencies on tickets on which work has begun
--   late [items]  those of them that were added after work had begun
--   late_share [ratio]  late ones, of these
--   lag_p50 [seconds]  work begun to dependency added; negative: it was known before
--   lag_p85 [seconds]  the same, of those that are found latest
--   not_begun [items]  dependencies beside these: on tickets on which work has not begun
--   late_ones  ticket and blocker of the late ones, the latest first
-- Parameters:
--   days = 90  added within so many UTC days
--   team = null  only pairs of this team

with moment as (from moment(null::timestamptz)),
found as (
    select consumer, provider, mode, opened_at, discovery_lag, subject || ' > ' || "on" as edge
    from waits, moment
    where kind = 'dependency' and cross_team and excluded is null and day_of(opened_at) between day - $days::integer + 1 and day
        and ($team::varchar is null or $team::varchar in (consumer, provider))
),
pair as (
    select consumer, provider, arg_max(mode, (opened_at, edge)) as mode, count(discovery_lag) as dependencies,
        count(*) filter (discovery_lag > 0) as late, list(discovery_lag order by discovery_lag) filter (discovery_lag is not null) as lags,
        count(*) - dependencies as not_begun,
        coalesce(list(edge order by opened_at desc, edge) filter (discovery_lag > 0), []) as late_ones
    from found
    group by all
)
select consumer, provider, mode, dependencies, late, case when dependencies > 0 then rounded(late / dependencies) end as late_share,
    case when dependencies > 0 then rounded(quantile_of(lags, 0.5)) end as lag_p50,
    case when dependencies > 0 then rounded(quantile_of(lags, 0.85)) end as lag_p85, not_begun, late_ones
from pair
order by late desc, late_share desc nulls last, consumer, provider;
