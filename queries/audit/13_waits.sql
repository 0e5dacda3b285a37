-- Question: which waits of one team for another were there, and how did each end?
-- Reads:    dependency_event, review_request, handoff_event, change_event, change_lifecycle, change_told, service_repo,
--           service_version, ticket, status_entry, ticket_team, team_change, decision, team_word, practice, agreement.
-- Gives:    wait: one row each, with `ticket` and `repo`, `change`, by which it is attributed. Instants: microseconds since 1970, UTC.

create macro candidate(instant, rank, name) as {'instant': instant, 'rank': rank, 'name': name};
create macro earliest(candidates) as list_min(list_filter(candidates, lambda each: each.instant is not null));

-- Of the events of one `key`: an episode begins with the first that asks while none is under way, and the next that withdraws ends it.
create macro episodes(told) as table
    select key, row_number() over (partition by key order by opened_at) - 1 as number, opened_at, withdrawn_at
    from (
        select key, stamp.time_us as opened_at, asks, lag(asks) over line as is_under_way,
            first_value(case when not asks then stamp.time_us end ignore nulls) over (line rows between 1 following and unbounded following)
                as withdrawn_at
        from query_table(told)
        window line as (partition by key order by stamp.time_us, asks, stamp.id)
    )
    where asks and not coalesce(is_under_way, false);

create table dependency_told as
select {'ticket': ticket, 'blocked_by': blocked_by} as key, asks, stamp from dependency_event;

create table dependency_wait as
select concat_ws('|', 'dependency', key.ticket, key.blocked_by, number) as id, 'dependency' as kind, key.ticket as subject,
    key.blocked_by as "on", key.ticket as ticket, opened_at, its.team as consumer, other.team as provider,
    [candidate(case when blocker.finish = 'done' then blocker.finished_at end, 1, 'completed'),
     candidate(least(withdrawn_at, case when blocker.finish <> 'done' then blocker.finished_at end), 2, 'withdrawn'),
     candidate(blocked.finished_at, 3, 'overtaken')] as ends,
    case when key.ticket = key.blocked_by then 'self'
         when lower(blocked.kind) = 'alias' or lower(blocker.kind) = 'alias' then 'alias'
         when least(blocked.finished_at, blocker.finished_at) < opened_at then 'already_done' end as excluded,
    floor((opened_at - blocked.started_at) / 1000) / 1000 as discovery_lag, blocker.ticket is null as stub
from episodes('dependency_told')
left join ticket as blocked on blocked.ticket = key.ticket
left join ticket as blocker on blocker.ticket = key.blocked_by
left join ticket_team as its on its.ticket = key.ticket and its.instant = opened_at
left join ticket_team as other on other.ticket = key.blocked_by and other.instant = opened_at;

create table review_told as
select {'repo': repo, 'change': change, 'team': team} as key, asks, stamp from review_request;

create table review_episode as
select concat_ws('|', 'review', key.change, key.team, number) as id, key.repo, key.change, lower(key.team) as called, opened_at, withdrawn_at
from episodes('review_told');

create table review_owner as
with declared as (
    select episode.id, declared.service, opened_at, match_paths(told.paths, declared.paths) as matches
    from review_episode as episode
    left join change_told as told using (repo, change)
    join service_repo as declared
        on declared.repo = episode.repo and opened_at >= declared.valid_from and opened_at < declared.valid_to
),
touched as (
    from declared qualify matches or not bool_or(matches) over (partition by id)
)
select id, case when count(distinct owner) = 1 and count(owner) = count(*) then any_value(owner) end as team
from touched join service_version as version
    on version.service = touched.service and opened_at >= version.valid_from and opened_at < version.valid_to
group by id;

create table review_wait as
with answer as (
    select repo, change, time_us as instant
    from change_event join change_lifecycle as life using (repo, change)
    where what = 'reviewed' and not automated and (reviewer is null or life.author is null or reviewer <> life.author)
)
select episode.id, 'review' as kind, episode.change as subject, episode.repo, episode.change, opened_at, review_owner.team as consumer,
    asked.team as provider,
    coalesce(merged_at, case when abandoned_at >= coalesce(seen_open_at, abandoned_at) then abandoned_at end) as over_at,
    [candidate(answer.instant, 1, 'answered'), candidate(withdrawn_at, 2, 'withdrawn'), candidate(over_at, 3, 'overtaken')] as ends,
    case when over_at < opened_at then 'already_done' end as excluded
from review_episode as episode
asof left join answer on answer.repo = episode.repo and answer.change = episode.change and opened_at <= answer.instant
asof left join team_word as asked on asked.word = called and opened_at >= asked.valid_from
left join change_lifecycle as life on life.repo = episode.repo and life.change = episode.change
left join review_owner on review_owner.id = episode.id;

create table handoff_wait as
with told as (
    select handoff, min(time_us) filter (what = 'requested') as requested_at, coalesce(requested_at, min(time_us)) as opened_at,
        min(time_us) filter (what = 'accepted') as accepted_at,
        min(time_us) filter (what = 'delivered') as delivered_at,
        arg_max({'what': what, 'instant': time_us}, stamp) as latest,
        count(*) filter (what = 'returned') as bounces,
        lower(arg_max(from_team, stamp) filter (from_team is not null)) as from_called,
        lower(arg_max(to_team, stamp) filter (to_team is not null)) as to_called,
        arg_max(ticket, stamp) filter (ticket is not null) as ticket,
        arg_max(title, stamp) filter (title is not null) as title,
        arg_max(needed_by, stamp) filter (needed_by is not null) as needed_by,
        coalesce(arg_max(refs, stamp) filter (len(refs) > 0), []) as refs
    from handoff_event
    group by handoff
)
select 'handoff|' || handoff as id, 'handoff' as kind, handoff as subject, ticket, opened_at, giver.team as consumer, taker.team as provider,
    needed_by, title, refs, bounces,
    [candidate(accepted_at, 1, 'accepted'), candidate(delivered_at, 2, 'completed'),
     candidate(case when accepted_at is null and delivered_at is null and latest.what = 'returned' then latest.instant end, 3, 'returned')] as ends,
    list_filter([case when requested_at is null then 'requested' end, case when needed_by is null then 'needed_by' end,
                 case when delivered_at is not null and accepted_at is null then 'accepted' end], lambda leg: leg is not null) as missing
from told
asof left join team_word as giver on giver.word = from_called and opened_at >= giver.valid_from
asof left join team_word as taker on taker.word = to_called and opened_at >= taker.valid_from;

create table transfer_wait as
with onward as (
    select *, lead(instant) over line as next_at, lead(after) over line as next_team
    from team_change
    window line as (partition by ticket order by instant)
),
status_change as (
    select ticket, instant from status_entry where is_change
)
select concat_ws('|', 'transfer', onward.ticket, onward.instant) as id, 'handoff' as kind, onward.ticket as subject, onward.ticket as ticket,
    onward.instant as opened_at, before as consumer, after as provider,
    [candidate(status_change.instant, 1, 'accepted'),
     candidate(next_at, 2, case when next_team = before then 'returned' else 'forwarded' end)] as ends,
    case when finished_at <= onward.instant then 'already_done' end as excluded
from onward
asof left join status_change on status_change.ticket = onward.ticket and onward.instant < status_change.instant
left join ticket as its on its.ticket = onward.ticket;

create table decision_wait as
select 'decision|' || id as id, 'decision' as kind, decision.id as subject, ticket, asked_at as opened_at, from_team as consumer,
    to_team as provider, needed_by, target_us, title, refs,
    [candidate(decided_at, 1, 'decided'), candidate(superseded_at, 2, 'withdrawn')] as ends
from decision
where asked_at is not null;

create table wait as
with every_wait as (
    from dependency_wait
    union all by name from review_wait
    union all by name from handoff_wait
    union all by name from transfer_wait
    union all by name from decision_wait
),
ended as (
    select * exclude (ends, over_at, refs), with_reference(coalesce(refs, []), 'ticket', ticket) as refs,
        coalesce(consumer <> provider, false) as cross_team,
        case when excluded is null then earliest(ends) end as ending
    from every_wait
)
select ended.* exclude (ending), ending.instant as ended_at, ending.name as "end",
    case when cross_team then coalesce(own.mode, its.mode, 'implicit') end as mode,
    coalesce(needed_by, opened_at + coalesce(target_us, span_us(own.expect ->> ('$.' || kind)),
        case kind when 'dependency' then dependency_us when 'review' then review_us when 'handoff' then handoff_us
                  else decision_us end)) as due_at
from ended
asof join practice on opened_at >= practice.valid_from
left join agreement as own
    on own.team = consumer and own.other = provider and opened_at >= own.valid_from and opened_at < own.valid_to
left join agreement as its
    on its.team = provider and its.other = consumer and opened_at >= its.valid_from and opened_at < its.valid_to;
