-- Question: what are the facts of work and coordination?
-- Reads:    everything before.
-- Gives:    audit_ticket, audit_wait, audit_decision, audit_artifact, audit_act, with the columns of `pipeline/facts/rows.py` but
--           `evidence`. Instants: microseconds since 1970, UTC; spans: seconds, cut to milliseconds; lists are sorted.

create macro only_one(initiatives) as case when len(initiatives) = 1 then initiatives[1] end;
create macro if_several(initiatives) as case when len(initiatives) > 1 then initiatives else [] end;

create table audit_wait as
select wait.id, kind, subject, "on", opened_at, consumer, provider, cross_team, mode, due_at, ended_at, "end",
    case when "end" in ('completed', 'answered', 'accepted', 'decided') and not list_contains(coalesce(missing, []), 'requested')
         then seconds(opened_at, ended_at) end as span,
    unless_negative(span) as latency, coalesce(span < 0, false)::bigint as negative, excluded, discovery_lag,
    coalesce(stub, false) as stub, coalesce(bounces, 0) as bounces, coalesce(missing, []) as missing, coalesce(title, '') as title,
    refs, only_one(initiatives) as initiative, if_several(initiatives) as candidates
from wait
left join wait_serves using (id);
alter table audit_wait drop column span;

create table audit_decision as
select decision.id, title,
    case when superseded_at is not null then 'superseded' when reversed_at is not null then 'reversed' else coalesce(outcome, 'open') end
        as status,
    category, from_team, to_team, ticket, asked_at, decided_at, wait.due_at, outcome,
    unless_negative(seconds(asked_at, decided_at)) as latency, coalesce(decided_at < asked_at, false)::bigint as negative, approvers,
    case when outcome = 'accepted' then list_filter(needed, lambda role: not list_contains(lowered(approvers), lower(role))) else [] end
        as lacking,
    superseded_at, reversed_at, "by", url, decision.refs,
    only_one(initiatives) as initiative, if_several(initiatives) as candidates
from decision
left join (select subject, due_at from wait where kind = 'decision') as wait on wait.subject = decision.id
left join decision_serves using (id);

create table audit_artifact as
with proposed as (
    select artifact, arg_min(event, stamp) as told from artifact_event as event group by artifact
),
named as (
    select artifact as id, told, coalesce(link.initiative, told.initiative) as named, link.linked_at as relinked_at
    from proposed left join link_held as link on link.kind = 'artifact' and link.subject = artifact
),
meant as (
    select id, any_value(initiative) as initiative
    from named join initiative_name on called = lower(named)
    group by id
    having count(*) = 1
)
select id, told.kind, told.title, told.time_us as proposed_at,
    case when named is null then 'missing' when meant.initiative is null then 'unknown'
         when closed.initiative is not null then 'closed' else 'linked' end as status,
    told.agent, told.context, named, case when closed.initiative is null then meant.initiative end as initiative,
    relinked_at, told.repo, told.change, told.ticket, told.url
from named
left join meant using (id)
left join initiative_closed as closed on closed.initiative = meant.initiative
    and coalesce(relinked_at, told.time_us) >= closed.valid_from and coalesce(relinked_at, told.time_us) < closed.valid_to;

create table audit_act as
with acted as (
    select act as id, unnest(arg_min(event, stamp)) from act_event as event group by act
),
judged as (
    select acted.*, case when bounds_agents then coalesce(rule, 'undeclared') end as rule
    from acted
    asof join practice on acted.stamp.time_us >= practice.valid_from
    left join agent_rule as listed on listed.valid_from = practice.valid_from and listed.action = lower(acted.action)
),
meant as (
    select judged.id, list(name.initiative order by name.initiative) as initiatives
    from judged join initiative_name as name on called = lower(judged.initiative)
    group by judged.id
)
select id, agent, action, time_us as acted_at, rule, list_sort(list_distinct(approvals)) as approvals,
    case rule when 'undeclared' then true when 'human' then len(approvals) = 0
              when 'crossFunctional' then len(list_distinct(lowered(approvals))) < 2 else false end as violation,
    "on", only_one(initiatives) as initiative, url
from judged
left join meant using (id);

create table ticket_flow as
select ticket,
    sum(case when canonical in ('in_progress', 'in_review') then until - since end) as active_us,
    sum(case when canonical not in ('in_progress', 'in_review', 'unmapped') then until - since end) as waiting_us
from (
    select ticket, canonical, greatest(began_at, started_at) as since, least(coalesce(ended_at, finished_at), finished_at) as until
    from status_run join ticket using (ticket)
    where finish = 'done' and started_at is not null
)
where since < until
group by ticket;

-- Whatever blocks a ticket while it is under way: its status, its flag, what it depends on. Overlaps are joined.
create table ticket_blocked as
with span as (
    select ticket, began_at as since, ended_at as until from status_run where canonical = 'blocked'
    union all
    select ticket, since, until
    from (select ticket, flagged, time_us as since, lead(time_us) over (partition by ticket order by stamp) as until
          from ticket_event where what = 'updated')
    where flagged
    union all
    select subject, opened_at, ended_at from wait where kind = 'dependency' and excluded is null
),
clipped as (
    select ticket, greatest(since, started_at) as since, least(coalesce(until, never()), coalesce(finished_at, never())) as until
    from span join ticket using (ticket)
    where started_at is not null
),
joined as (
    select ticket, min(since) as since, max(until) as until
    from (
        select *, sum(is_apart::int) over (partition by ticket order by since, until rows unbounded preceding) as part
        from (
            select *, coalesce(since > max(until) over (partition by ticket order by since, until rows between unbounded preceding and 1 preceding),
                               false) as is_apart
            from clipped
            where since < until
        )
    )
    group by ticket, part
)
select ticket, sum(until - since) filter (until < never()) as blocked_us, max(since) filter (until = never()) as blocked_since
from joined
group by ticket;

create table ticket_evidence as
select ref.value as ticket, max(case kind when 'commit' then authored_at else created_at end) as last_change_at,
    max(first_review_at) as last_review_at, max(merged_at) as last_merge_at, max(deployed_at) as last_deployment_at
from (select * exclude (refs), unnest(list_filter(refs, lambda ref: ref.kind = 'ticket')) as ref from audit_change)
group by ref.value;

create table audit_ticket as
with serves as (
    select ticket, list(initiative order by initiative) as initiatives from ticket_serves group by ticket
),
linked as (
    select subject as ticket, initiative from link_held where kind = 'ticket'
),
decided as (
    select ticket, max(decided_at) as last_decision_at from decision where ticket is not null group by ticket
)
select ticket as id, tracker, project, kind, title, status, parent, list_sort(labels) as labels, created_at, updated_at, closed_at, deleted,
    only_one(initiatives) as initiative, if_several(initiatives) as candidates, linked.initiative as link, team, canonical_type,
    canonical_status, status_since, started_at, finished_at, finish,
    case when finish = 'done' then seconds(started_at, finished_at) end as flow_time,
    case when flow_time is not null then seconds(0, coalesce(active_us, 0)) end as active_time,
    case when flow_time is not null then seconds(0, coalesce(waiting_us, 0)) end as waiting_time,
    case when started_at is not null then seconds(0, coalesce(blocked_us, 0)) end as blocked_time, blocked_since, moves, reasoned,
    last_decision_at, last_change_at, last_review_at, last_merge_at, last_deployment_at
from ticket
left join ticket_team using (ticket, instant)
left join serves using (ticket)
left join linked using (ticket)
left join ticket_flow using (ticket)
left join ticket_blocked using (ticket)
left join decided using (ticket)
left join ticket_evidence using (ticket);
