-- Question: which words of the trackers does the contract not know, and how many tickets hang on them?
-- Columns:
--   tracker  tracker
--   what  status or type
--   word  as the tracker writes it; empty: it was never told
--   tickets [items]  tickets with this word
--   share [ratio]  of all tickets of the tracker
--   projects  projects in which they are
--   examples  some of them, the latest first
-- Parameters:
--   tracker = null  only this tracker

with word as (
    select tracker, project, id, coalesce(updated_at, created_at) as told_at, count(*) over (partition by tracker) as of_tracker, unnest([
        {'what': 'status', 'word': status, 'meaning': canonical_status}, {'what': 'type', 'word': kind, 'meaning': canonical_type}
    ], recursive := true)
    from tickets
    where not deleted and ($tracker::varchar is null or tracker = $tracker::varchar)
)
select tracker, what, word, count(*) as tickets, rounded(count(*) / any_value(of_tracker)) as share,
    list(distinct project order by project) as projects, list(id order by told_at desc nulls last, id)[:5] as examples
from word
where meaning = 'unmapped'
group by tracker, what, word
order by tickets desc, tracker, what, word;
