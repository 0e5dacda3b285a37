-- Question: which decisions were asked for and made, by whose agreement, and what became of them?
-- Reads:    decision_event, link_held, ticket, decision_item, team_word, practice, decision_class.
-- Gives:    decision: one row each, as told by its events or by the ticket that it is; `instant` is that as of which teams and
--           policy are asked. Instants and spans: microseconds (since 1970, UTC).

create macro matches_any(text, patterns) as
    len(list_filter(patterns, lambda pattern: lower(text) glob lower(pattern))) > 0;

create macro class_named_by(label) as lower(regexp_extract(label::varchar, '^.{8}[/:](.+)$', 1, 's'));

create table decision_ticket as
select ticket, created_at, finish, case when finish in ('done', 'cancelled') then finished_at end as settled_at, title,
    class_named_by(list_min(list_filter(fitting, lambda label: regexp_matches(lower(label), '^decision[/:].')))) as category
from (
    select ticket.*, matches_any(kind, item.types) as is_type,
        list_filter(ticket.labels, lambda label: matches_any(label, item.labels)) as fitting
    from ticket, decision_item as item
)
where (is_type or len(fitting) > 0) and not deleted;

create table decision_told as
select decision,
    min(time_us) filter (what = 'requested') as asked_at,
    min(time_us) filter (what = 'decided') as decided_at,
    min(time_us) filter (what = 'superseded') as superseded_at,
    min(time_us) filter (what = 'reversed') as reversed_at,
    min(time_us) as seen_at,
    arg_min(outcome, stamp) filter (what = 'decided' and outcome is not null) as outcome,
    list_sort(list_distinct(flatten(list(approvers)))) as approvers,
    arg_max(title, stamp) filter (title is not null) as title,
    arg_max(category, stamp) filter (category is not null) as category,
    arg_max("by", stamp) filter ("by" is not null) as "by",
    arg_max(from_team, stamp) filter (from_team is not null) as from_word,
    arg_max(to_team, stamp) filter (to_team is not null) as to_word,
    arg_max(needed_by, stamp) filter (needed_by is not null) as needed_by,
    arg_max(ticket, stamp) filter (ticket is not null) as ticket,
    arg_max(url, stamp) filter (url is not null) as url,
    arg_max(refs, stamp) filter (len(refs) > 0) as refs
from decision_event
group by decision;

create table decision as
with joined as (
    select coalesce(decision, item.ticket) as id, coalesce(told.title, item.title, '') as title,
        coalesce(told.category, nullif(item.category, '')) as category, from_word, to_word, coalesce(told.ticket, item.ticket) as ticket,
        coalesce(asked_at, created_at) as asked_at, coalesce(decided_at, settled_at) as decided_at,
        case when decided_at is not null then coalesce(outcome, 'accepted')
             when settled_at is not null then case finish when 'done' then 'accepted' else 'rejected' end end as outcome,
        superseded_at, reversed_at, seen_at, needed_by, coalesce(approvers, []) as approvers, "by", url, coalesce(refs, []) as told_refs
    from decision_told as told
    full join decision_ticket as item on item.ticket = told.decision
),
placed as (
    select joined.* exclude (told_refs), coalesce(asked_at, decided_at, seen_at, ever()) as instant,
        with_reference(with_reference(told_refs, 'initiative', link.initiative), 'ticket', ticket) as refs
    from joined
    left join link_held as link on link.kind = 'decision' and link.subject = id
),
worded as (
    select *, lower(from_word) as from_called, lower(to_word) as to_called from placed
)
select worded.* exclude (from_word, to_word, from_called, to_called), asker.team as from_team, decider.team as to_team,
    class.target_us, coalesce(class.approvers, []) as needed
from worded
asof left join team_word as asker on asker.word = from_called and instant >= asker.valid_from
asof left join team_word as decider on decider.word = to_called and instant >= decider.valid_from
asof join practice on instant >= practice.valid_from
left join decision_class as class on class.valid_from = practice.valid_from and class.category = worded.category;
