-- Question: which initiative does each ticket, change, wait and decision serve, and how sure is that?
-- Reads:    ticket_snapshot, link_held, initiative_name, initiative_mark, change, change_placed, wait, decision.
-- Gives:    ticket_serves(ticket, initiative): all that it resolves to; change_serves(id, initiatives, level): those of the
--           first level (1 to 5) that yields any; wait_serves, decision_serves(id, initiatives).

create table ticket_own as
select value as ticket, initiative from initiative_mark where mark = 'ticket'
union
select ticket, mark.initiative
from (select ticket, unnest(now.labels) as label from ticket_snapshot) join initiative_mark as mark on mark = 'label' and value = label
union
select ticket, name.initiative from ticket_snapshot join initiative_name as name on called = lower(now.initiative)
union
select subject, name.initiative from link_held join initiative_name as name on called = lower(link_held.initiative)
where kind = 'ticket';

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

-- What names an initiative itself serves that one, else what its ticket serves.
create macro served(told) as table
    with named as (
        select distinct id, initiative
        from (select id, unnest(refs) as ref from query_table(told)) join initiative_name on called = lower(ref.value)
        where ref.kind = 'initiative'
    )
    select id, list(initiative order by initiative) as initiatives
    from (
        from named
        union all
        select told.id, initiative from query_table(told) as told anti join named using (id) join ticket_serves using (ticket)
    )
    group by id;

create table wait_serves as
from served('wait')
union all
select wait.id, initiatives
from wait join change_serves as serves on serves.id = wait.change
where level <= 4 or len(initiatives) > 1;

create table decision_serves as
from served('decision');
