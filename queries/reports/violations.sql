-- Question: what did software agents do without leave, and under which rule did they do what they did?
-- Columns:
--   acted_at  when it was done
--   act  its id
--   agent  agent
--   action  what was done, as the policy names it
--   rule  automated, human or crossFunctional; undeclared: no list of the policy names it; null: the policy has no lists
--   approvals  roles and teams that agreed to it
--   needed [items]  different approvals that the rule asks for; null: none would do, or no rule
--   violation  it was not allowed
--   on  what it was done to
--   initiative  initiative that it served
--   url  where it can be seen
-- Parameters:
--   days = 28  done within so many UTC days
--   all = false  true: what was allowed as well
--   agent = null  only this agent
--   limit = 200  how many, the latest first

select acted_at, id as act, agent, action, rule, approvals,
    case rule when 'automated' then 0 when 'human' then 1 when 'crossFunctional' then 2 end as needed, violation, "on", initiative, url
from acts, moment(null::timestamptz)
where day_of(acted_at) between day - $days::integer + 1 and day and (violation or $all::boolean)
    and ($agent::varchar is null or agent = $agent::varchar)
order by acted_at desc, act
limit $limit::integer;
