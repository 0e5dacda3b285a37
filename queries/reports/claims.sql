-- Question: which tickets claim a status that demands evidence, and what evidence stands beside the claim?
--           What was seen of a ticket below one is seen of that one as well.
-- Columns:
--   ticket  ticket
--   title  its title
--   team  team that it is with
--   initiative  initiative that it serves
--   status  status, as the tracker names it
--   canonical_status  the same in the words of the contract
--   status_since  since when it has that status
--   state  claimed, not evidenced; pending: the evidence may still come; or evidenced
--   demanded  kinds of evidence that the status demands
--   lacking  those of them that were not seen, or only too long before
--   until  by when the evidence has to be seen
--   last_change_at  latest change
--   last_review_at  latest first review of a change
--   last_merge_at  latest merge
--   last_deployment_at  latest deployment
--   last_decision_at  latest decision
--   last_outcome_at  latest sample of an outcome of the initiative
-- Parameters:
--   state = null  only this state
--   team = null  only tickets of this team
--   initiative = null  only tickets of this initiative
--   limit = 200  how many, those without evidence first

with recursive moment as (from moment(null::timestamptz)),
ticket as (from tickets where not deleted),
status_map as (
    select name, lower(spec ->> '$.tracker') as words_of, spec -> '$.evidence' as demands,
        coalesce(duration(spec ->> '$.evidenceWithin'), to_days(7)) as within
    from contract_objects where kind = 'StatusMap' and json_type(spec) = 'OBJECT'
),
fitting as (
    select tracker, demands, within
    from (select distinct tracker from ticket) as told
    join status_map
        on words_of = lower(tracker) or list_contains(regexp_extract_all(lower(tracker), '[\p{L}\p{N}]+'), words_of)
    qualify row_number() over (partition by tracker order by words_of = lower(tracker) desc, name) = 1
),
claim as (
    select ticket.*, within, (demands -> ('$.' || canonical_status))::varchar[] as demanded
    from ticket join fitting using (tracker)
    where len(demanded) > 0 and status_since is not null
        and ($team::varchar is null or team = $team::varchar)
        and ($initiative::varchar is null or initiative = $initiative::varchar)
),
below(root, part) as (
    select id, id from claim
    union
    select root, ticket.id from below join ticket on ticket.parent = below.part
),
sampled as (
    select initiative, max(time) as last_outcome_at
    from (select name as initiative, unnest(spec ->> '$.outcomes[*].metric') as metric
          from contract_objects where kind = 'Initiative' and json_type(spec) = 'OBJECT') as intended
    join events on events.payload ->> '$.metric' = metric
    where starts_with(type, 'dev.cdeventsx.leadline-outcome.sampled.')
    group by initiative
),
seen as (
    select root as id, max(last_change_at) as last_change_at, max(last_review_at) as last_review_at,
        max(last_merge_at) as last_merge_at, max(last_deployment_at) as last_deployment_at,
        max(last_decision_at) as last_decision_at
    from below join ticket on ticket.id = part
    group by root
),
judged as (
    select claim.id as ticket, title, team, initiative, status, canonical_status, status_since, demanded,
        list_filter(demanded, lambda kind: coalesce(case kind
            when 'change' then seen.last_change_at when 'review' then seen.last_review_at when 'merge' then seen.last_merge_at
            when 'deployment' then seen.last_deployment_at when 'decision' then seen.last_decision_at
            when 'outcome' then last_outcome_at end < status_since - within, true)) as lacking,
        status_since + within as until,
        case when len(lacking) = 0 then 'evidenced' when instant < until then 'pending' else 'claimed, not evidenced' end as state,
        seen.* exclude (id), last_outcome_at
    from claim join seen using (id)
    left join sampled using (initiative), moment
)
select ticket, title, team, initiative, status, canonical_status, status_since, state, demanded, lacking, until, last_change_at,
    last_review_at, last_merge_at, last_deployment_at, last_decision_at, last_outcome_at
from judged
where $state::varchar is null or state = $state::varchar
order by list_position(['claimed, not evidenced', 'pending', 'evidenced'], state), status_since, ticket
limit $limit::integer;
