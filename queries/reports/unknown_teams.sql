-- Question: which words for teams do sources use that the contract does not know, and what hangs on them?
-- Columns:
--   word  as the source writes it
--   teams  teams that list it as an alias; several: it means none of them
--   kinds  ticket, review, handoff or decision
--   sources  who uses it
--   items [items]  tickets, changes, hand-overs and decisions with this word
--   last_told_at  when it was last used
--   examples  some of them, by name
-- Parameters:
--   days = 90  used within so many UTC days
--   source = null  only by this source

with called as (
    select name, unnest(list_prepend(name, coalesce((spec -> '$.aliases')::varchar[], []))) as word, lower(name) = lower(word) as is_name
    from contract_objects where kind = 'Team' and json_type(spec) = 'OBJECT'
),
meaning as (
    select lower(word) as lower_word, list_sort(list(distinct name)) as teams, bool_or(is_name) or len(teams) = 1 as is_known
    from called group by lower_word
),
told as (
    select source, subject, time, regexp_extract(type, '(ticket|review|handoff|decision)\.', 1) as kind,
        unnest(list_distinct([payload ->> '$.team', payload ->> '$.from_team', payload ->> '$.to_team'])) as word
    from events, moment(null::timestamptz)
    where (starts_with(type, 'dev.cdevents.ticket.updated.') or starts_with(type, 'dev.cdeventsx.leadline-ticket.transferred.')
            or regexp_matches(type, '^dev\.cdeventsx\.leadline-(review|handoff|decision)\.'))
        and day_of(time) between day - $days::integer + 1 and day and ($source::varchar is null or source = $source::varchar)
)
select word, coalesce(any_value(teams), []) as teams, list_sort(list(distinct kind)) as kinds, list_sort(list(distinct source)) as sources,
    count(distinct subject) as items, max(time) as last_told_at, list_sort(list(distinct subject))[:5] as examples
from told left join meaning on lower_word = lower(word)
where word <> '' and not coalesce(is_known, false)
group by word
order by items desc, word;
