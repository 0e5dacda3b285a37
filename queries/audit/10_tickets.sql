-- Question: what is known of each ticket, which statuses has it had, and when was it begun and finished?
-- Reads:    ticket_event, status_map, status_word.
-- Gives:    ticket_snapshot(ticket, now, updated_at); status_entry(ticket, instant, native, is_change); status_run(ticket, canonical,
--           began_at, ended_at); ticket(ticket, ...): one row for each that was seen itself.
--           Instants: microseconds since 1970, UTC; of a run that lasts until now ended_at is null.

create table ticket_snapshot as
select ticket, arg_max({'tracker': tracker, 'project': project, 'kind': kind, 'title': title, 'parent': parent,
                        'labels': labels, 'initiative': initiative}, stamp) as now,
       max(time_us) as updated_at
from ticket_event where what = 'updated'
group by ticket;

create table ticket_told as
select ticket, coalesce(any_value(now).tracker, arg_max(tracker, stamp)) as tracker,
    coalesce(any_value(now).project, arg_max(event.project, stamp) filter (event.project is not null), '') as project,
    coalesce(any_value(now).kind, '') as kind, coalesce(any_value(now).title, '') as title, any_value(now).parent as parent,
    coalesce(any_value(now).labels, []) as labels,
    min(time_us) filter (what = 'created') as created_at, any_value(updated_at) as updated_at,
    max(time_us) filter (what = 'closed') as last_closed_at, max(time_us) filter (what = 'updated' and not closed) as seen_open_at,
    min(time_us) filter (what = 'deleted') as deleted_at, max(time_us) filter (what in ('updated', 'moved', 'transferred', 'closed')) as touched_at,
    count(*) filter (what = 'moved') as moves, count(reason) filter (what = 'moved') as reasoned
from ticket_event as event
left join ticket_snapshot using (ticket)
group by ticket;

-- The map of each tracker: the one that names it, else one that names a word of it; of several the first by name.
create table tracker_map as
select tracker, map
from (
    select told.tracker, status_map.name as map, status_map.tracker = lower(told.tracker) as is_exact
    from (select distinct tracker from ticket_told) as told
    join status_map on status_map.tracker = lower(told.tracker)
        or list_contains(regexp_split_to_array(lower(told.tracker), '[^\p{L}\p{N}]+'), status_map.tracker)
)
qualify row_number() over (partition by tracker order by is_exact desc, map) = 1;

create table status_entry as
with told as (
    select ticket, time_us as instant, what = 'updated' as is_snapshot, stamp.id as id, from_status,
        case what when 'moved' then to_status else status end as native
    from ticket_event
    where what = 'moved' or (what = 'updated' and status <> '')
),
oldest as (
    select ticket, arg_min({'instant': instant, 'from_status': from_status}, {'instant': instant, 'is_snapshot': is_snapshot, 'id': id}) as entry
    from told group by ticket
),
held as (
    select ticket, instant, arg_max(native, {'is_snapshot': is_snapshot, 'id': id}) as native from told group by ticket, instant
    union all
    select ticket, created_at, entry.from_status from oldest join ticket_told using (ticket)
    where entry.from_status is not null and created_at < entry.instant
)
select *, coalesce(native <> lag(native) over (partition by ticket order by instant), false) as is_change from held;

create table status_run as
with translated as (
    select entry.ticket, instant, coalesce(meaning, 'unmapped') as canonical
    from status_entry as entry
    join ticket_told using (ticket)
    left join tracker_map using (tracker)
    left join status_word on status_word.map = tracker_map.map and of_what = 'status' and word = lower(native)
),
begun as (
    select * from translated
    qualify canonical is distinct from lag(canonical) over (partition by ticket order by instant)
)
select ticket, canonical, instant as began_at, lead(instant) over (partition by ticket order by instant) as ended_at from begun;

create table ticket as
with latest as (
    select ticket, arg_max(native, instant) as status from status_entry group by ticket
),
course as (
    select ticket, arg_max(canonical, began_at) as canonical_status, max(began_at) as status_since,
        min(began_at) filter (canonical in ('in_progress', 'in_review', 'blocked')) as begun_at,
        coalesce(max(ended_at) filter (canonical not in ('done', 'cancelled')), min(began_at)) as tail_at
    from status_run
    group by ticket
),
closing as (
    select *, case when seen_open_at > last_closed_at then null else last_closed_at end as closed_at,
        case when canonical_status in ('done', 'cancelled') then canonical_status
             when coalesce(canonical_status, 'unmapped') = 'unmapped' and closed_at is not null then 'done' end as ending,
        case when canonical_status in ('done', 'cancelled') then tail_at when ending is not null then closed_at end as ending_at,
        deleted_at is not null and coalesce(ending_at > deleted_at, true) as is_gone
    from ticket_told
    left join latest using (ticket)
    left join course using (ticket)
)
select ticket, tracker, project, kind, title, coalesce(status, '') as status, parent, labels, created_at, updated_at, closed_at,
    deleted_at is not null as deleted, coalesce(type_word.meaning, 'unmapped') as canonical_type,
    coalesce(canonical_status, 'unmapped') as canonical_status, status_since,
    case when is_gone then 'deleted' else ending end as finish,
    case when is_gone then deleted_at else ending_at end as finished_at,
    case when coalesce(begun_at < finished_at, true) then begun_at end as started_at,
    coalesce(finished_at, greatest(touched_at, created_at)) as instant, moves, reasoned
from closing
left join tracker_map using (tracker)
left join status_word as type_word on type_word.map = tracker_map.map and of_what = 'type' and word = lower(kind);
