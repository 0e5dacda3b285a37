-- Question: do cross-team waits get longer from week to week, counting those that are still open at the end of each week?
--           An ageing queue raises `wait_p85` before anything is answered; `latency_p85` rises only afterwards.
-- Columns:
--   scope_kind  org, team (that waits), initiative, pair (consumer > provider) or mode
--   scope  name within the kind of scope
--   week  Monday with which the week (UTC) begins; the last one may not be over
--   opened [items]  waits that began in it
--   answered [items]  waits that were answered in it
--   latency_p85 [seconds]  of these; null: none
--   open_waits [items]  open at its end, or at the snapshot
--   open_p85 [seconds]  their ages then; null: none
--   wait_p50 [seconds]  of the latencies and the ages together; null: neither
--   wait_p85 [seconds]  the same, of the slow ones
--   change [ratio]  wait_p85, by how much of it more or less than the week before; null: there was none
-- Parameters:
--   weeks = 12  how many weeks, the present one included
--   kind = dependency  dependency, review, handoff or decision
--   scope_kind = org  org, team, initiative, pair or mode
--   scope = null  only this scope

with moment as (from moment(null::timestamptz)),
week as (
    select unnest(generate_series(
        date_trunc('week', day) - ($weeks::integer - 1) * interval 7 day, date_trunc('week', day), interval 7 day))::date as week,
        least((week + 7)::timestamp at time zone 'UTC', instant) as until
    from moment
),
waited as (
    select opened_at, ended_at, latency, case $scope_kind::varchar
        when 'org' then 'all' when 'team' then consumer when 'initiative' then initiative
        when 'pair' then case when cross_team then consumer || ' > ' || provider end
        when 'mode' then case when cross_team then mode end end as scope
    from waits
    where kind = $kind::varchar and excluded is null and (cross_team or kind = 'decision') and scope is not null
        and ($scope::varchar is null or scope = $scope::varchar)
),
seen as (
    select scope, week, seconds(opened_at, until) as age, null as latency
    from waited join week on opened_at <= until and (ended_at is null or ended_at > until)
    union all
    select scope, week, null, latency
    from waited join week on day_of(ended_at) between week and week + 6 and ended_at <= until where latency is not null
),
summed as (
    select scope, week, count(latency) as answered, list(latency order by latency) filter (latency is not null) as latencies,
        count(age) as open_waits, list(age order by age) filter (age is not null) as ages,
        list(coalesce(latency, age) order by coalesce(latency, age)) as spans
    from seen group by all
),
begun as (
    select scope, date_trunc('week', day_of(opened_at))::date as week, count(*) as opened from waited group by all
),
point as (
    select scope, week, coalesce(opened, 0) as opened, coalesce(answered, 0) as answered, coalesce(open_waits, 0) as open_waits,
        case when len(latencies) > 0 then rounded(quantile_of(latencies, 0.85)) end as latency_p85,
        case when len(ages) > 0 then rounded(quantile_of(ages, 0.85)) end as open_p85,
        case when len(spans) > 0 then rounded(quantile_of(spans, 0.5)) end as wait_p50,
        case when len(spans) > 0 then rounded(quantile_of(spans, 0.85)) end as wait_p85
    from (select distinct scope from waited) cross join week
    left join summed using (scope, week)
    left join begun using (scope, week)
)
select $scope_kind::varchar as scope_kind, scope, week, opened, answered, latency_p85, open_waits, open_p85, wait_p50, wait_p85,
    rounded(wait_p85 / nullif(lag(wait_p85) over (partition by scope order by week), 0) - 1) as change
from point
where week >= (select min(date_trunc('week', day_of(opened_at)))::date from waited)
order by scope, week;
