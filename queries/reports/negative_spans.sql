-- Question: where do the sources contradict each other in time, so that a span would be negative and is left out?
-- Columns:
--   kind  change, deployment, wait or decision
--   id  id of the fact
--   what  the span: its end was told to be before its start
--   start  told start
--   finish  told end
--   seconds [seconds]  by how much the end is before the start
-- Parameters:
--   kind = null  change, deployment, wait or decision

with span as (
    select 'change' as kind, id, unnest([
        {'what': 'lead_time', 'start': coalesce(authored_at, created_at), 'finish': deployed_at},
        {'what': 'coding_time', 'start': authored_at, 'finish': created_at},
        {'what': 'pickup_time', 'start': created_at, 'finish': first_review_at},
        {'what': 'review_time', 'start': first_review_at, 'finish': merged_at},
        {'what': 'deploy_time', 'start': merged_at, 'finish': deployed_at}
    ], recursive := true)
    from changes where negative > 0
    union all
    select 'deployment', id, 'recovery_time', finished_at, recovered_at from deployments where negative > 0
    union all
    select 'wait', id, 'latency', opened_at, ended_at from waits where negative > 0 and kind <> 'decision'
    union all
    select 'decision', id, 'latency', asked_at, decided_at from decisions where negative > 0
)
select kind, id, what, start, finish, seconds(finish, start) as seconds from span
where finish < start and ($kind::varchar is null or kind = $kind::varchar)
order by seconds desc, kind, id, what;
