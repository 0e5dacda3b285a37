-- Question: which canonical events does the log hold, each once, and what do their payloads say?
-- Reads:    event(position BIGINT, recorded_us BIGINT, id, source, type, time_us BIGINT, payload JSON), as loaded.
-- Gives:    one typed table for each family of events, keyed by `stamp` = (time_us, id), which orders events everywhere;
--           log_end(as_of_us), the default instant of the metrics. Instants: microseconds since 1970, UTC.

create macro us(instant) as epoch_us(instant::timestamptz);
create macro stamp(time_us, id) as {'time_us': time_us, 'id': id};

create table event_once as
select * exclude (position) from event
qualify row_number() over (partition by source, id order by position) = 1;

create table log_end as
select max(time_us) as as_of_us from event_once
where time_us <= recorded_us and not starts_with(type, 'dev.cdeventsx.leadline-contract.') and not starts_with(type, 'dev.cdeventsx.leadline-gate.');

create table commit_event as
select stamp(time_us, id) as stamp, p.repo, p.sha, us(p.authored_at) as authored_at, p.parents, coalesce(p.title, '') as title,
       coalesce(p.refs, []) as refs, p.paths, nullif(p.assistant, '') as assistant
from (
    select time_us, id, json_transform(payload, '{"repo": "VARCHAR", "sha": "VARCHAR", "authored_at": "VARCHAR",
        "parents": ["VARCHAR"], "title": "VARCHAR", "paths": ["VARCHAR"], "assistant": "VARCHAR",
        "refs": [{"kind": "VARCHAR", "value": "VARCHAR", "via": "VARCHAR"}]}') as p
    from event_once where type = 'dev.cdeventsx.leadline-commit.recorded.1.0.0'
);

create table push_event as
select p.repo, p.before, p.after, coalesce(p.forced, false) as forced, coalesce(p.commits, []) as commits,
       coalesce(p."distinct", []) as news
from (
    select json_transform(payload, '{"repo": "VARCHAR", "before": "VARCHAR", "after": "VARCHAR", "forced": "BOOLEAN",
        "commits": ["VARCHAR"], "distinct": ["VARCHAR"]}') as p
    from event_once where type = 'dev.cdeventsx.leadline-branch.updated.1.0.0'
)
where p.after is not null;

create table change_event as
select stamp(time_us, id) as stamp, time_us, what, p.repo, p.change, p.author, p.reviewer, coalesce(p.automated, false) as automated,
       p.merge_sha, p.head_sha, coalesce(p.commits, []) as commits, coalesce(p.title, '') as title, p.branch,
       coalesce(p.labels, []) as labels, coalesce(p.refs, []) as refs, coalesce(p.closed, false) as closed, nullif(p.assistant, '') as assistant
from (
    select time_us, id, split_part(type, '.', 4) as what, json_transform(payload, '{"repo": "VARCHAR", "change": "VARCHAR",
        "author": "VARCHAR", "reviewer": "VARCHAR", "automated": "BOOLEAN", "merge_sha": "VARCHAR", "head_sha": "VARCHAR",
        "commits": ["VARCHAR"], "title": "VARCHAR", "branch": "VARCHAR", "labels": ["VARCHAR"], "closed": "BOOLEAN", "assistant": "VARCHAR",
        "refs": [{"kind": "VARCHAR", "value": "VARCHAR", "via": "VARCHAR"}]}') as p
    from event_once
    where type in ('dev.cdevents.change.created.0.3.0', 'dev.cdevents.change.created.0.4.0', 'dev.cdevents.change.updated.0.3.0',
                   'dev.cdevents.change.reviewed.0.3.0', 'dev.cdevents.change.merged.0.3.0', 'dev.cdevents.change.abandoned.0.3.0')
);

create table deployment_event as
select stamp(time_us, id) as stamp, time_us, what, source, p.deployment, p.repo, p.sha, p.service, p.environment, p.version,
       p.url, us(p.started_at) as started_at, p.caused_by
from (
    select time_us, id, source, case split_part(type, '.', 4) when 'deployed' then 'success' else split_part(type, '.', 4) end as what,
        json_transform(payload, '{"deployment": "VARCHAR", "repo": "VARCHAR", "sha": "VARCHAR", "service": "VARCHAR",
        "environment": "VARCHAR", "version": "VARCHAR", "url": "VARCHAR", "started_at": "VARCHAR", "caused_by": "VARCHAR"}') as p
    from event_once
    where type in ('dev.cdevents.service.deployed.0.3.0', 'dev.cdeventsx.leadline-deployment.started.1.0.0',
                   'dev.cdeventsx.leadline-deployment.failed.1.0.0', 'dev.cdeventsx.leadline-deployment.cancelled.1.0.0')
);

create table rollback_event as
select stamp(time_us, id) as stamp, time_us, source, p.rollback, p.repo, p.service, p.environment, p.rolled_back, p.url
from (
    select time_us, id, source, json_transform(payload, '{"rollback": "VARCHAR", "repo": "VARCHAR", "service": "VARCHAR",
        "environment": "VARCHAR", "rolled_back": "VARCHAR", "url": "VARCHAR"}') as p
    from event_once where type = 'dev.cdevents.service.rolledback.0.3.0'
);

create table incident_event as
select stamp(time_us, id) as stamp, time_us, what, source, p.incident, p.repo, p.service, p.environment, p.severity,
       coalesce(p.title, '') as title, p.deployment, p.url
from (
    select time_us, id, source, split_part(type, '.', 4) as what, json_transform(payload, '{"incident": "VARCHAR", "repo": "VARCHAR",
        "service": "VARCHAR", "environment": "VARCHAR", "severity": "VARCHAR", "title": "VARCHAR", "deployment": "VARCHAR",
        "url": "VARCHAR"}') as p
    from event_once
    where type in ('dev.cdevents.incident.detected.0.3.0', 'dev.cdevents.incident.reported.0.3.0',
                   'dev.cdevents.incident.resolved.0.3.0', 'dev.cdeventsx.leadline-incident.reopened.1.0.0')
);

create table review_request as
select stamp(time_us, id) as stamp, what = 'requested' as asks, p.repo, p.change, p.team
from (
    select time_us, id, split_part(type, '.', 4) as what,
        json_transform(payload, '{"repo": "VARCHAR", "change": "VARCHAR", "team": "VARCHAR"}') as p
    from event_once
    where type in ('dev.cdeventsx.leadline-review.requested.1.0.0', 'dev.cdeventsx.leadline-review.withdrawn.1.0.0')
)
where p.team is not null;

create table ticket_event as
select stamp(time_us, id) as stamp, time_us, what, p.tracker, p.ticket, p.project, coalesce(p.title, '') as title,
       coalesce(p.kind, '') as kind, coalesce(p.status, '') as status, p.parent, coalesce(p.labels, []) as labels, p.initiative,
       nullif(p.team, '') as team, coalesce(p.flagged, false) as flagged, p.closed, p.to_status, nullif(p.from_status, '') as from_status,
       nullif(p.reason, '') as reason, p.to_team, p.from_team
from (
    select time_us, id, split_part(type, '.', 4) as what, json_transform(payload, '{"tracker": "VARCHAR", "ticket": "VARCHAR",
        "project": "VARCHAR", "title": "VARCHAR", "kind": "VARCHAR", "status": "VARCHAR", "parent": "VARCHAR",
        "labels": ["VARCHAR"], "initiative": "VARCHAR", "team": "VARCHAR", "flagged": "BOOLEAN", "closed": "BOOLEAN",
        "to_status": "VARCHAR", "from_status": "VARCHAR", "reason": "VARCHAR", "to_team": "VARCHAR", "from_team": "VARCHAR"}') as p
    from event_once
    where type in ('dev.cdevents.ticket.created.0.2.0', 'dev.cdevents.ticket.updated.0.2.0', 'dev.cdevents.ticket.closed.0.2.0',
                   'dev.cdeventsx.leadline-ticket.moved.1.0.0', 'dev.cdeventsx.leadline-ticket.deleted.1.0.0',
                   'dev.cdeventsx.leadline-ticket.transferred.1.0.0')
);

create table dependency_event as
select stamp(time_us, id) as stamp, what = 'added' as asks, payload ->> '$.ticket' as ticket, payload ->> '$.blocked_by' as blocked_by
from (
    select time_us, id, split_part(type, '.', 4) as what, payload from event_once
    where type in ('dev.cdeventsx.leadline-dependency.added.1.0.0', 'dev.cdeventsx.leadline-dependency.removed.1.0.0')
);

create table handoff_event as
select stamp(time_us, id) as stamp, time_us, what, p.handoff, p.from_team, p.to_team, p.ticket, nullif(p.title, '') as title,
       us(p.needed_by) as needed_by, coalesce(p.refs, []) as refs
from (
    select time_us, id, split_part(type, '.', 4) as what, json_transform(payload, '{"handoff": "VARCHAR", "from_team": "VARCHAR",
        "to_team": "VARCHAR", "ticket": "VARCHAR", "title": "VARCHAR", "needed_by": "VARCHAR",
        "refs": [{"kind": "VARCHAR", "value": "VARCHAR", "via": "VARCHAR"}]}') as p
    from event_once where starts_with(type, 'dev.cdeventsx.leadline-handoff.')
);

create table decision_event as
select stamp(time_us, id) as stamp, time_us, what, p.decision, nullif(p.title, '') as title, p.category, p.outcome,
       coalesce(p.approvers, []) as approvers, p."by", p.from_team, p.to_team, us(p.needed_by) as needed_by, p.ticket, p.url,
       coalesce(p.refs, []) as refs
from (
    select time_us, id, split_part(type, '.', 4) as what, json_transform(payload, '{"decision": "VARCHAR", "title": "VARCHAR",
        "category": "VARCHAR", "outcome": "VARCHAR", "approvers": ["VARCHAR"], "by": "VARCHAR", "from_team": "VARCHAR",
        "to_team": "VARCHAR", "needed_by": "VARCHAR", "ticket": "VARCHAR", "url": "VARCHAR",
        "refs": [{"kind": "VARCHAR", "value": "VARCHAR", "via": "VARCHAR"}]}') as p
    from event_once where starts_with(type, 'dev.cdeventsx.leadline-decision.')
);

create table artifact_event as
select stamp(time_us, id) as stamp, time_us, p.artifact, coalesce(p.kind, '') as kind, coalesce(p.title, '') as title, p.agent,
       p.context, p.initiative, p.repo, p.change, p.ticket, p.url
from (
    select time_us, id, json_transform(payload, '{"artifact": "VARCHAR", "kind": "VARCHAR", "title": "VARCHAR", "agent": "VARCHAR",
        "context": "VARCHAR", "initiative": "VARCHAR", "repo": "VARCHAR", "change": "VARCHAR", "ticket": "VARCHAR",
        "url": "VARCHAR"}') as p
    from event_once where type = 'dev.cdeventsx.leadline-artifact.proposed.1.0.0'
);

create table act_event as
select stamp(time_us, id) as stamp, time_us, p.act, p.agent, p.action, coalesce(p.approvals, []) as approvals, p."on", p.initiative, p.url
from (
    select time_us, id, json_transform(payload, '{"act": "VARCHAR", "agent": "VARCHAR", "action": "VARCHAR",
        "approvals": ["VARCHAR"], "on": "VARCHAR", "initiative": "VARCHAR", "url": "VARCHAR"}') as p
    from event_once where type = 'dev.cdeventsx.leadline-agent.acted.1.0.0'
);

create table link_event as
select stamp(time_us, id) as stamp, time_us, payload ->> '$.kind' as kind, payload ->> '$.subject_id' as subject,
       payload ->> '$.initiative' as initiative
from event_once where type = 'dev.cdeventsx.leadline-link.declared.1.0.0';

create table contract_event as
select stamp(time_us, id) as stamp, payload ->> '$.kind' as kind, payload ->> '$.name' as name, payload -> '$.spec' as spec,
       us(payload ->> '$.effective_from') as effective_from
from event_once where type = 'dev.cdeventsx.leadline-contract.declared.1.0.0';

drop table event;
drop table event_once;
