-- Question: what did assistants propose, from which context and for which initiative, and what is in quarantine?
-- Columns:
--   proposed_at  when it was proposed
--   artifact  its id
--   kind  what it is, in the words of the assistant
--   title  its title
--   agent  assistant or agent
--   context  prompt, or version of the context, that it was made from
--   status  linked; in quarantine: missing (names no initiative), unknown (that is none) or closed (that is over)
--   quarantined  it does not count as context
--   proposed_as  initiative, as it was proposed for
--   named  initiative as named now: by the artifact, or by the person who linked it
--   initiative  canonical initiative that it is linked to
--   stage  stage of that
--   relinked_at  when a person linked it
--   relinked_because  why, as that person said
--   link  id of the event by which it was linked
--   change  change that it belongs to
--   ticket  ticket that it belongs to
--   integrity [ratio]  linked ones, of all in the list before its limit
--   url  where it can be seen
-- Parameters:
--   days = 28  proposed within so many UTC days
--   quarantined = null  only those in quarantine, or (false) only the others
--   limit = 200  how many, those in quarantine first

with proposed as (
    select payload ->> '$.artifact' as id, arg_min(payload ->> '$.initiative', (time, id)) filter (payload ->> '$.initiative' is not null)
        as proposed_as
    from events where starts_with(type, 'dev.cdeventsx.leadline-artifact.proposed.')
    group by all
),
linked as (
    select payload ->> '$.subject_id' as id, arg_max(events.id, (time, events.id)) as link,
        arg_max(payload ->> '$.reason', (time, events.id)) as relinked_because
    from events where starts_with(type, 'dev.cdeventsx.leadline-link.declared.') and payload ->> '$.kind' = 'artifact'
    group by all
),
listed as (
    select artifacts.*, status <> 'linked' as quarantined, rounded(avg((status = 'linked')::integer) over ()) as integrity
    from artifacts, moment(null::timestamptz)
    where day_of(proposed_at) between day - $days::integer + 1 and day
)
select proposed_at, id as artifact, kind, title, agent, context, status, quarantined, proposed_as, named, initiative, stage, relinked_at,
    relinked_because, link, change, ticket, integrity, url
from listed
left join proposed using (id)
left join linked using (id)
left join initiatives on initiatives.name = initiative
where $quarantined::boolean is null or quarantined = $quarantined::boolean
order by quarantined desc, proposed_at desc, artifact
limit $limit::integer;
