-- Question: how do the teams interact that wait for each other or whose services need each other, and who never said how?
-- Columns:
--   consumer  team that waits, or whose service needs another
--   provider  team that it waits for, or that owns the other service
--   mode  collaboration, x-as-a-service or facilitating, as declared now; implicit: neither team has declared any
--   declared_by  team that declared it; null: nobody
--   waits [items]  cross-team waits that are open or ended
--   open_waits [items]  those of them that are open
--   open_wait [seconds]  sum of their ages
--   latency_p50 [seconds]  of those that were answered; null: none was
--   latency_p85 [seconds]  the same, of the slow ones
--   kinds  what they wait for: dependency, review, handoff, decision
--   coupled_by  declared needs of services (`dependsOn`) that tie the two together
-- Parameters:
--   days = 90  what ended within so many UTC days counts beside what is open
--   mode = null  only this mode, such as implicit
--   team = null  only pairs of this team

with moment as (from moment(null::timestamptz)),
declared as (
    select name as team, told."with" as other, told.mode
    from (select name, unnest(json_transform(spec -> '$.interactions', '[{"with": "VARCHAR", "mode": "VARCHAR"}]')) as told
          from contract_objects where kind = 'Team' and json_type(spec) = 'OBJECT')
),
coupled as (
    select needing.owner as consumer, needed.owner as provider,
        list(needing.name || ' > ' || needed.name order by needing.name, needed.name) as coupled_by
    from (select name, spec ->> '$.owner' as owner, unnest((spec -> '$.dependsOn')::varchar[]) as needs
          from contract_objects where kind = 'Service' and json_type(spec) = 'OBJECT') as needing
    join services as needed on needed.name = needs
    where needing.owner <> needed.owner
    group by all
),
waited as (
    select consumer, provider, count(*) as waits, count(*) filter (ended_at is null) as open_waits,
        sum(seconds(opened_at, instant)) filter (ended_at is null) as open_wait,
        list(latency order by latency) filter (latency is not null) as latencies, list(distinct kind order by kind) as kinds
    from waits, moment
    where cross_team and excluded is null and opened_at <= instant
        and (ended_at is null or day_of(ended_at) between day - $days::integer + 1 and day)
    group by all
),
pair as (
    select consumer, provider, coalesce(waits, 0) as waits, coalesce(open_waits, 0) as open_waits,
        rounded(coalesce(open_wait, 0)) as open_wait,
        case when len(latencies) > 0 then rounded(quantile_of(latencies, 0.5)) end as latency_p50,
        case when len(latencies) > 0 then rounded(quantile_of(latencies, 0.85)) end as latency_p85,
        coalesce(kinds, []) as kinds, coalesce(coupled_by, []) as coupled_by
    from waited full join coupled using (consumer, provider)
),
told as (
    select pair.*, coalesce(own.mode, other.mode, 'implicit') as mode, coalesce(own.team, other.team) as declared_by
    from pair
    left join declared as own on own.team = consumer and own.other = provider
    left join declared as other on other.team = provider and other.other = consumer
)
select consumer, provider, mode, declared_by, waits, open_waits, open_wait, latency_p50, latency_p85, kinds, coupled_by
from told
where ($mode::varchar is null or mode = $mode::varchar) and ($team::varchar is null or $team::varchar in (consumer, provider))
order by mode <> 'implicit', open_wait desc, waits desc, consumer, provider;
