-- Question: which deployments, incidents, rollbacks and links by hand were told, and when did what happen to them?
-- Reads:    deployment_event, incident_event, rollback_event, link_event.
-- Gives:    deployment_told, failure_told: one row each, with services and environments still in the words of the source;
--           link_held(kind, subject, initiative, linked_at): the latest link of each thing that a person linked.
--           Instants: microseconds since 1970, UTC.

create table deployment_told as
select *, coalesce(finished_at, started_at) as instant
from (
    select *,
        case outcome when 'success' then success_at when 'failure' then failed_at when 'cancelled' then cancelled_at end as finished_at
    from (
        select left(sha256(concat_ws('|', source, deployment, coalesce(repo, ''), coalesce(sha, ''), coalesce(service, ''), environment)), 16)
            as id,
            source, deployment, repo, sha, service as named, environment,
            min(time_us) filter (what = 'success') as success_at,
            min(time_us) filter (what = 'failed') as failed_at,
            min(time_us) filter (what = 'cancelled') as cancelled_at,
            least(min(started_at), min(time_us) filter (what = 'started')) as started_at,
            case when bool_or(what = 'success') then 'success' when bool_or(what = 'failed') then 'failure'
                 when bool_or(what = 'cancelled') then 'cancelled' else 'running' end as outcome,
            arg_max(version, stamp) filter (version is not null) as version,
            arg_max(url, stamp) filter (url is not null) as url,
            arg_max(caused_by, stamp) filter (caused_by is not null) as caused_by
        from deployment_event
        group by source, deployment, repo, sha, service, environment
    )
);

create table failure_told as
select source || '|incident|' || incident as id, 'incident' as kind, source, incident as name,
    coalesce(min(time_us) filter (what in ('detected', 'reported')), min(time_us) filter (what = 'resolved'), min(time_us)) as instant,
    min(time_us) filter (what = 'resolved' and time_us >= coalesce(reopened_at, time_us)) as resolved_at,
    arg_max({'repo': repo, 'named': service, 'environment': environment, 'deployment': deployment, 'severity': severity,
             'title': title, 'url': url}, stamp) as told
from (
    select *, max(time_us) filter (what = 'reopened') over (partition by source, incident) as reopened_at
    from incident_event
)
group by source, incident
union all
select source || '|rollback|' || rollback, 'rollback', source, rollback, min(time_us), min(time_us),
    arg_max({'repo': repo, 'named': service, 'environment': environment, 'deployment': rolled_back, 'severity': null::varchar,
             'title': '', 'url': url}, stamp)
from rollback_event
group by source, rollback;

create table link_held as
select kind, subject, arg_max(initiative, stamp) as initiative, max(time_us) as linked_at
from link_event
group by kind, subject;

-- What a field names is a reference beside those that were told.
create macro with_reference(refs, kind, value) as
    list_sort(list_distinct(list_concat(refs, case when value is null then [] else [{'kind': kind, 'value': value, 'via': 'field'}] end)));
