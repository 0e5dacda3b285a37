-- Question: which initiatives were nearly done in three reviews in a row, while nothing of them gained any evidence?
--           Progress is done tickets of those that are neither deleted nor cancelled, each once and without those that have
--           tickets below them; reviews are the latest snapshots that are far enough apart.
-- Columns:
--   initiative  initiative
--   owner  team that answers for it
--   snapshots  numbers of the three snapshots, the earliest first
--   seen_at  the instants that they are as of
--   progress [ratio]  done, of all tickets that count, in each of them
--   done [items]  done ones in the latest
--   tickets [items]  all that count in the latest
--   remaining  those that are not done
--   last_evidence_at  latest change, review, merge, deployment or decision of any of its tickets; null: none ever
-- Parameters:
--   days = 6  between two reviews at least
--   least = 80  progress from which on it counts as nearly done, percent

with third as (select number, as_of from snapshots where as_of is not null order by number desc limit 1),
second as (
    select snapshots.number, snapshots.as_of from snapshots, third
    where snapshots.as_of <= third.as_of - to_days($days::integer) order by snapshots.number desc limit 1
),
first as (
    select snapshots.number, snapshots.as_of from snapshots, second
    where snapshots.as_of <= second.as_of - to_days($days::integer) order by snapshots.number desc limit 1
),
seen as (
    select 1 as review, * from tickets_at((select number from first))
    union all by name
    select 2 as review, * from tickets_at((select number from second))
    union all by name
    select 3 as review, * from tickets_at((select number from third))
),
part as (
    select * from seen
    where initiative is not null and not deleted and finish is distinct from 'cancelled' and not exists (
        from seen as below
        where below.review = seen.review and below.parent = seen.id and below.id <> seen.id and not below.deleted)
),
reached as (
    select review, initiative, count(*) filter (finish = 'done') as done, count(*) as tickets, done / tickets as progress,
        list(id order by id) filter (finish is distinct from 'done') as remaining
    from part group by all
),
stalled as (
    select initiative, list(rounded(progress) order by review) as progress, max_by(done, review) as done,
        max_by(tickets, review) as tickets, max_by(remaining, review) as remaining
    from reached
    where progress < 1 and progress * 100 >= $least::integer
    group by initiative
    having count(*) = 3
),
evidence as (
    unpivot (
        select review, id, initiative, last_change_at, last_review_at, last_merge_at, last_deployment_at, last_decision_at
        from seen where not deleted
    )
    on last_change_at, last_review_at, last_merge_at, last_deployment_at, last_decision_at into name kind value seen_at
),
gained as (
    from evidence as now
    where review = 3 and not exists (
        from evidence as earlier
        where earlier.review = 1 and earlier.id = now.id and earlier.kind = now.kind and earlier.seen_at >= now.seen_at)
)
select initiative, owner, [first.number, second.number, third.number] as snapshots,
    [first.as_of, second.as_of, third.as_of] as seen_at, progress, done, tickets, remaining,
    (select max(seen_at) from evidence where review = 3 and evidence.initiative = stalled.initiative) as last_evidence_at
from stalled
left join initiatives on initiatives.name = initiative, first, second, third
where initiative not in (select initiative from gained where initiative is not null)
order by initiative;
