-- Question: to which team did each ticket belong, whenever that matters?
-- Reads:    ticket_event, ticket, dependency_event, team_word, repo_owner.
-- Gives:    ticket_team(ticket, instant, team) at its own `instant` and whenever a dependency of it was added; team_change(ticket, instant,
--           before, after): the team went from one that is known to another. Instants: microseconds since 1970, UTC.

create table ownership as
with told as (
    select ticket, time_us as instant, stamp, coalesce(to_team, team) as word, coalesce(from_team, to_team, team) as word_before
    from ticket_event
    where what = 'transferred' or (what = 'updated' and team is not null)
),
latest as (
    select ticket, instant, arg_max(word, stamp) as word, arg_min(word_before, stamp) as told_before from told group by ticket, instant
)
select ticket, instant, word, coalesce(lag(word) over (partition by ticket order by instant), told_before) as word_before
from latest;

create table owner_asked as
with asked as (
    select ticket, instant as instant from ticket
    union
    select ticket, stamp.time_us from dependency_event where asks
    union
    select blocked_by, stamp.time_us from dependency_event where asks
),
oldest as (
    select ticket, arg_min(word_before, instant) as word from ownership group by ticket
)
select asked.ticket, asked.instant, coalesce(held.word, oldest.word) as word
from asked
asof left join ownership as held on held.ticket = asked.ticket and asked.instant >= held.instant
left join oldest on oldest.ticket = asked.ticket;

create table owner_answer as
with question as (
    from owner_asked
    union
    select ticket, instant, word from ownership
    union
    select ticket, instant, word_before from ownership
),
worded as (
    select question.*, lower(word) as called, project, lower(project) as project_called
    from question left join ticket using (ticket)
)
select worded.ticket, worded.instant, worded.word, coalesce(named.team, of_project.team, of_repo.owner) as team
from worded
asof left join team_word as named on named.word = called and worded.instant >= named.valid_from
asof left join team_word as of_project on of_project.word = project_called and worded.instant >= of_project.valid_from
asof left join repo_owner as of_repo on of_repo.repo = project and worded.instant >= of_repo.valid_from;

create table ticket_team as
select asked.ticket, asked.instant, team
from owner_asked as asked
join owner_answer as answer
    on answer.ticket = asked.ticket and answer.instant = asked.instant and answer.word is not distinct from asked.word;

create table team_change as
select ticket, instant, before.team as before, after.team as after
from ownership
join owner_answer as before using (ticket, instant)
join owner_answer as after using (ticket, instant)
where before.word = ownership.word_before and after.word = ownership.word and before.team <> after.team;
