-- Question: which changes point to several initiatives and are put down to none?
-- Columns:
--   change  pull request, or commit
--   title  title
--   team  team that owned the service
--   service  service
--   status  open, abandoned, merged or deployed
--   candidates  the initiatives between which its links could not decide
--   evidence  what leads to each of them
--   deployed_at  when it was deployed; null: not yet
-- Parameters:
--   team = null  only this team

select id as change, title, team, service, status, candidates, evidence, deployed_at
from changes
where confidence = 'ambiguous' and ($team::varchar is null or team = $team::varchar)
order by deployed_at desc nulls first, change;
