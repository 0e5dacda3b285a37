-- Question: what are the facts of delivery?
-- Reads:    everything before.
-- Gives:    audit_change, audit_deployment, audit_failure, with the columns of `pipeline/facts/rows.py` but
--           `evidence`. Instants: microseconds since 1970, UTC; spans: seconds, cut to milliseconds; lists are sorted.

create macro seconds(start_us, end_us) as floor((end_us - start_us) / 1000) / 1000;
create macro unless_negative(span) as case when span >= 0 then span end;

create table change_marked as
select change.id,
    len(list_filter(own_refs, lambda ref: ref.kind = 'incident')) > 0
        or coalesce(matches_any(branch, policy.rework_branches), false)
        or len(list_filter(labels, lambda label: matches_any(label, policy.rework_labels))) > 0 as unplanned,
    coalesce(matches_any(branch, policy.exempt_branches), false)
        or len(list_filter(labels, lambda label: matches_any(label, policy.exempt_labels))) > 0 as exempt
from change
join policy_version as policy on change.decided_at >= policy.valid_from and change.decided_at < policy.valid_to
qualify policy.name = min(policy.name) over (partition by change.id);

create table audit_change as
with spanned as (
    select change.*, deployment.id as deployment_id, deployment.finished_at as deployed_at, delivery.method, seed.rank is not null as is_seed,
        seconds(coalesce(authored_at, created_at), deployment.finished_at) as lead_time,
        seconds(authored_at, created_at) as coding_time,
        seconds(created_at, first_review_at) as pickup_time,
        seconds(first_review_at, merged_at) as review_time,
        seconds(merged_at, deployment.finished_at) as deploy_time
    from change
    left join delivery using (id)
    left join deployment using (rank)
    left join seed using (rank)
)
select id, kind, repo, services, placed.service, version.owner as team, title,
    case when deployed_at is not null then 'deployed' when merged_at is not null then 'merged'
         when abandoned then 'abandoned' else 'open' end as status,
    created_at, authored_at, first_review_at, merged_at, deployed_at, deployment_id as deployment, method,
    case when is_seed then 'seed' end as excluded,
    unless_negative(lead_time) as lead_time, unless_negative(coding_time) as coding_time, unless_negative(pickup_time) as pickup_time,
    unless_negative(review_time) as review_time, unless_negative(deploy_time) as deploy_time,
    len(list_filter([lead_time, coding_time, pickup_time, review_time, deploy_time], lambda span: span < 0))::bigint as negative,
    marked.unplanned, marked.exempt, refs,
    case when len(serves.initiatives) = 1 then serves.initiatives[1] end as initiative,
    case when len(serves.initiatives) > 1 then 'ambiguous' when level <= 2 then 'declared' when level <= 4 then 'linked'
         when level = 5 then 'inferred' end as confidence,
    case when len(serves.initiatives) > 1 then serves.initiatives else [] end as candidates,
    assistant
from spanned
join change_placed as placed using (id)
left join service_version as version
    on version.service = placed.service and spanned.instant >= version.valid_from and spanned.instant < version.valid_to
join change_marked as marked using (id)
left join change_serves as serves using (id);

create table audit_deployment as
with carried as (
    select deployment as id, count(*) as changes, bool_or(unplanned) as unplanned, bool_and(exempt) as all_exempt,
        coalesce(bool_or(confidence in ('declared', 'linked')) filter (not exempt), false) as traced,
        coalesce(bool_or(confidence = 'ambiguous') filter (not exempt), false) as ambiguous,
        coalesce(list_sort(list(distinct initiative) filter (confidence in ('declared', 'linked'))), []) as initiatives
    from audit_change where deployment is not null
    group by deployment
)
select id, source, deployment.deployment, service, team, repo, sha, environment, production, outcome, started_at, finished_at,
    version, url, previous, seed.rank is not null as seed, failed, failures, recovered_at,
    unless_negative(seconds(finished_at, recovered_at)) as recovery_time,
    coalesce(recovered_at < finished_at, false)::bigint as negative, caused_by,
    caused_by is not null or coalesce(unplanned, false) as rework, coalesce(changes, 0) as changes,
    case when changes is null then 'empty' when all_exempt then 'exempt' when traced then 'traced'
         when ambiguous then 'ambiguous' else 'orphan' end as trace,
    coalesce(initiatives, []) as initiatives
from deployment
join deployment_health using (rank)
left join seed using (rank)
left join carried using (id);

create table audit_failure as
select failure.id, kind, failure.service, failure.team, failure.environment, severity, title, failure.instant as detected_at, resolved_at,
    deployment.id as deployment, method, excluded, failure.url
from failure
left join failure_link using (id)
left join deployment using (rank);
