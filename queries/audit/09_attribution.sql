-- Question: which initiative does each ticket and each change serve, and how sure is that?
-- Reads:    ticket_event, initiative_name, initiative_mark, change, change_placed.
-- Gives:    ticket_serves(ticket, initiative): all that it resolves to; change_serves(id, initiatives, level): those of the
--           first level (1 to 5) that yields any.

create table ticket_snapshot as
select ticket, arg_max({'tracker': tracker, 'project': project, 'kind': kind, 'title': title, 'status': status, 'parent': parent,
                        'labels': labels, 'initiative': initiative}, stamp) as now,
       max(time_us) as updated_at, max(stamp) as stamp
from ticket_event where what = 'updated'
group by ticket;

create table ticket_own as
select value as ticket, initiative from initiative_mark where mark = 'ticket'
union
select ticket, mark.initiative
from (select ticket, unnest(now.labels) as label from ticket_snapshot) join initiative_mark as mark on mark = 'label' and value = label
union
select ticket, name.initiative from ticket_snapshot join initiative_name as name on called = lower(now.initiative);

-- Each ticket climbs to the first one above it that is tracked itself. `union` forgets repeated steps, so circles end.
create table ticket_serves as
with recursive climb(ticket, above) as (
    select ticket, ticket from ticket_snapshot
    union
    select climb.ticket, ticket_snapshot.now.parent
    from climb
    join ticket_snapshot on ticket_snapshot.ticket = climb.above
    anti join ticket_own on ticket_own.ticket = climb.above
    where ticket_snapshot.now.parent is not null
)
select climb.ticket, initiative from climb join ticket_own on ticket_own.ticket = climb.above
union
select ticket, initiative from ticket_own;

create table change_serves as
with mention as (
    select id, ref.kind, ref.value, ref.via from (select id, unnest(refs) as ref from change)
),
candidate as (
    select id, initiative, 1 as level
    from mention join initiative_name on called = lower(value)
    where kind = 'initiative'
    union
    select id, mark.initiative, 2
    from (select id, unnest(labels) as label from change
          union select id, value from mention where kind = 'label')
    join initiative_mark as mark on mark = 'label' and mark.value = label
    union
    select id, initiative, case via when 'body' then 4 else 3 end
    from mention join ticket_serves on ticket_serves.ticket = mention.value
    where kind = 'ticket' and via in ('title', 'branch', 'trailer', 'field', 'commit', 'body')
    union
    select id, initiative, 5
    from (select id, unnest(case when service is null then services else [service] end) as service from change_placed)
    join initiative_mark as mark on mark = 'service' and value = service
)
select id, list(initiative order by initiative) as initiatives, level
from candidate
group by id, level
qualify level = min(level) over (partition by id);
