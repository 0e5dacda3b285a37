"""What the collected data is: which connector reads a folder of it, under which kinds, and what may become of it.

A folder that is not named here is read by the connector of its name, each body as the connector itself describes it,
files `rest_<name>` as `rest.<name>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from tests.conformance.gitlab import KINDS as GITLAB_KINDS
from tests.conformance.jira import KINDS as JIRA_KINDS

#: Kinds that must not be lost: changes, deployments, incidents, tickets, moves, links, releases, runs, flags, events.
MATTERS = re.compile(
    r"pull|merge_request|push|refs_changed|deploy|release|issue|incident|alert|firing|resolved|pipeline|workflow|build"
    r"|echo|run|stage|task|stor|bug|flag|track|event|card|ticket|change|commits|object\.|on_|cloudwatch|monitoring"
    r"|signalfx|sdk_webhook|page|screen|relations|links|epics",
    re.IGNORECASE,
)
#: Parts of what matters, and things that are called alike: comments, checks, findings in code, tests, jobs of a run.
NO_MATTER = re.compile(
    r"comment|note|check[_-]|ref-status|git-commits|project_card|projects_v2|branch-policies|scanning|dependabot|milestone|label|testcase|testsuite|taskrun|job|statuses|worklog|sprint"
    r"|remotelinks|wiki|dispatch|steps|installation|branches|compare|annotations|secrets|variables|assets|artifacts"
    r"|approvals|concurrency|pending|timing|protection|merge-async|requested_reviewers|suggestions|field-values"
    r"|field_history|multiselect|fields|types|panels|component|agent|audit",
    re.IGNORECASE,
)


class Source(NamedTuple):
    """How a folder is read.

    `connectors`: the names that the connector may have; the first that exists reads it. `kinds`: start of a file's name
    -> kind. `headers`: those that a delivery has beside its body. `foreseen`: part of a file's name -> the reason for
    which it is quarantined. `left_out`: codes under which even a kind that matters is left out -> why that is right.
    """

    connectors: tuple[str, ...] = ()
    kinds: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    foreseen: Mapping[str, str] = {}
    left_out: Mapping[str, str] = {}


_TAKEN_BACK = "what was published is taken back, not published"
_TAG = "a tag moves no branch; the release tells itself"
_GONE = "a branch is gone, which changes no code"
_UNREAD = "the state of something that is no deployment"
_GOES_ON = "it is not over, and its start is told elsewhere"
_GITHUB_EVENTS = ("head_ref_force_pushed", "locked", "mentioned", "ready_for_review", "subscribed")

_GITHUB_REST = {
    "actions_jobs": "rest.actions_jobs",
    "actions_runs": "rest.actions_runs",
    "issue_comments": "rest.issue_comments",
    "issue_events": "rest.issue_events",
    "issues": "rest.issues",
    "pull_commits": "rest.pull_commits",
    "pull_reviews": "rest.pull_reviews",
    "pulls": "rest.pulls",
    "graphql_deployment": "graphql.deployments",
    "openapiactions-jobs-job_id": "rest.actions_jobs",
    "openapiactions-runs": "rest.actions_runs",
    "openapiactions-runs-run_id-attempts-attempt_number-jobs": "rest.actions_jobs",
    "openapicommits-commit_sha-pulls": "rest.pulls",
    "openapicommits-ref": "rest.commits",
    "openapideployments-deployment_id": "rest.deployments",
    "openapievents": "events_api",
    "openapiissues": "rest.issues",
    "openapiissues-comments": "rest.issue_comments",
    "openapiissues-events": "rest.issue_events",
    "openapiissues-issue_number": "rest.issues",
    "openapiissues-issue_number-events": "rest.issue_events",
    "openapiissues-issue_number-timeline": "rest.issue_events",
    "openapipulls-comments": "rest.pull_comments",
    "openapipulls-comments-comment_id": "rest.pull_comments",
    "openapipulls-pull_number": "rest.pulls",
    "openapireleases": "rest.releases",
}
_GITHUB_LEFT_OUT = {
    "push.tag": _TAG,
    "workflow_run.skipped": "nothing ran",
    "release.deleted": _TAKEN_BACK,
    "release.unpublished": _TAKEN_BACK,
    "issues.pull_request": "a pull request in a list of issues; the list of pull requests tells it",
    "issue_events.closed": "an example without the issue that was closed, or of a pull request",
    **{f"issue_events.{event}": "it moves and links nothing" for event in _GITHUB_EVENTS},
    "create": _TAG,
    "delete": _GONE,
}
_GITLAB_LEFT_OUT = {
    "push.branch_deleted": _GONE,
    "push.no_commits": "a branch without commits of its own",
    "tag_push": _TAG,
    "feature_flag": "GitLab tells neither when nor where the flag was changed",
    "pipeline.skipped": "nothing ran",
    "deployment.created": _GOES_ON,
    "deployment.undeployed": _UNREAD,
}
_NO_MOVE = {"nothing": "a change of fields that tell neither status nor link"}
#: Rows of a warehouse, and an alert of another product.
_WAREHOUSE = {"fivetran_": "unknown_kind", "superplane.on_alert": "unknown_kind"}
_JENKINS_KINDS = {"builds": "rest.builds", "builds_multibranch": "rest.builds", "stages": "rest.stages"}
_NOT_A_STAGE = {"rest.stages.not_a_deployment": "the stages of a build; the build tells the run"}
_CIRCLECI_KINDS = {
    "webhook.workflow-completed": "workflow-completed",
    "workflows": "rest.workflows",
    "workflows_incremental": "rest.workflows",
    "jobs": "rest.jobs",
    "jobs_incremental": "rest.jobs",
    "pipelines": "rest.pipelines",
    "projects": "rest.projects",
    "users": "rest.users",
    "rest_derived": "rest.insights",
}
_CIRCLECI_LEFT_OUT = {
    "rest.pipelines": "its workflows tell the runs",
    "rest.insights": "figures that CircleCI derives from runs",
    "workflow.not_run": "nothing ran",
}
_REPO = {"x-leadline-repo": "octocat/Hello-World"}
_GITLAB_PROJECT = {"x-leadline-repo": "gitlab-data/snowflake_spend"}
_ISSUE = {"x-leadline-issue": "EE-1"}

PAYLOADS: Mapping[str, Source] = {
    "github_webhooks": Source(
        ("github",),
        # A collection of a client library names some files after its own types.
        {
            "issue.opened": "issues",
            "pr_comment.created": "issue_comment",
            "commit_status": "status",
            "branch": "create",
            "tag": "create",
        },
        foreseen={
            "pull_request_review_comment.__jx-goscm": "missing_field",
            "release.published__superplane": "missing_field",
            "issue.opened__superplane": "missing_field",
        },
        left_out=_GITHUB_LEFT_OUT,
    ),
    "github_rest": Source(
        ("github",),
        _GITHUB_REST,
        _REPO,
        # Requests and answers of a client's tests, and examples of answers that nobody asks for.
        {
            "http_exchange": "unknown_kind",
            "openapideployments-deployment_id-statuses": "unknown_kind",
            "openapiissues-issue_number__": "missing_field",
        },
        _GITHUB_LEFT_OUT,
    ),
    "github_events_api": Source(
        ("github",),
        {"*": "events_api"},
        left_out=dict.fromkeys(
            ("create", "delete", "fork", "watch", "public", "member", "gollum", "commit_comment"), "it changes no code"
        ),
    ),
    "gitlab_webhooks": Source(
        ("gitlab",), foreseen={"merge_request__superplane": "missing_field"}, left_out=_GITLAB_LEFT_OUT
    ),
    "gitlab_rest": Source(("gitlab",), GITLAB_KINDS, _GITLAB_PROJECT, left_out=_GITLAB_LEFT_OUT),
    "gitea_forgejo": Source(("gitea",), left_out={"comment.deleted": "the collection calls a comment a pull request"}),
    "bitbucket_cloud": Source(
        headers={"x-leadline-repo": "likyh/likyhphp"},
        left_out={
            "push.deleted": _GONE,
            "comment.deleted": "a comment",
            "comment.on_issue": "a comment",
            "deployment.undeployed": _UNREAD,
            "deployment.pending": _GOES_ON,
            "deployment.unknown": _UNREAD,
        },
    ),
    "bitbucket_server": Source(kinds={"rest_pullrequests": "rest.pull_requests"}, left_out={"refs_changed.tag": _TAG}),
    "azure_devops": Source(
        kinds={"rest_timeline_records": "rest.timeline"},
        left_out={"rest.timeline.step": "a step of a job; the build tells the run"},
    ),
    "jira_webhooks": Source(("jira",), foreseen=_WAREHOUSE),
    "jira_rest": Source(("jira",), JIRA_KINDS, _ISSUE, _WAREHOUSE, _NO_MOVE),
    "trello": Source(),
    "jenkins": Source(kinds=_JENKINS_KINDS, left_out=_NOT_A_STAGE),
    "circleci": Source(
        kinds=_CIRCLECI_KINDS, foreseen={"rest_workflows__devlake-28": "missing_field"}, left_out=_CIRCLECI_LEFT_OUT
    ),
    "buildkite": Source(
        kinds={"rest_build": "rest.builds"},
        # The documentation leaves out most of these bodies, or shows a part of one.
        foreseen={
            "webhook.build.": "missing_field",
            "webhook.job.": "missing_field",
            "Example__": "unknown_kind",
            "Retry-source": "unknown_kind",
            "Build_Started-_": "unknown_kind",
        },
        left_out=dict.fromkeys(("ping", "job.no_command", "job.not_a_deployment"), "a job; the build tells the run"),
    ),
    "tekton": Source(
        foreseen={"run_status.": "unknown_kind"},
        left_out={"taskrun.not_a_deployment": "a task; its pipeline tells the run"},
    ),
    "argo_cd": Source(
        left_out={
            "ApplicationSet": "it makes applications, which deploy",
            "application.no_operation": "nothing was synchronised",
        }
    ),
    "argo_rollouts": Source(
        foreseen={"has_pause_condition_rollout_aborted": "missing_field"},
        left_out={
            **dict.fromkeys(("AnalysisRun", "Experiment"), "its rollout tells the deployment"),
            "rollout.in_progress": _GOES_ON,
            "rollout.not_observed": "the controller has not seen it yet",
            "rollout.invalid_spec": "nothing can be deployed by it",
        },
    ),
    "flagger": Source(left_out={"canary.Finalising": _GOES_ON}),
    "flux": Source(
        left_out={
            **dict.fromkeys(
                ("GitRepository", "OCIRepository", "ImageUpdateAutomation"), "it fetches, and deploys nothing"
            ),
            "HelmRelease.in_progress": _GOES_ON,
            "Kustomization.waits": _GOES_ON,
        }
    ),
    "cdevents": Source(
        foreseen={"custom": "unknown_type"},
        left_out={
            **{f"build.{did}": "the run tells it" for did in ("queued", "started", "finished")},
            "change.updated without content": "an example that has nothing but its repository",
        },
    ),
    "aws_codepipeline": Source(left_out={"execution.no_time": "an answer that tells no time"}),
    "tapd": Source(left_out={"changes.no_move": "neither status nor creation"}),
    "teambition": Source(
        left_out={
            "activity.add_tag": "the task tells its tags",
            "activity.comment": "a comment",
            **dict.fromkeys(("activity.update_sprint", "activity.update_scenariofieldconfigid"), "the task tells it"),
        }
    ),
    "sentry": Source(
        headers={"sentry-hook-timestamp": "1700000000"}, left_out={"issue.assigned": "nothing is wrong or right by it"}
    ),
    "pagerduty": Source(
        left_out={"incident_reference": "a note that names its incident by id, and tells nothing of it"}
    ),
    "rootly": Source(left_out={"incident_event": "an entry of a timeline"}),
    "datadog": Source(left_out={"event.info": "an event that is no alert"}),
    "opsgenie": Source(left_out={"acknowledge": "somebody took it"}),
    "statuspage": Source(),
    "grafana_alerting": Source(foreseen={"on_alert_firing__superplane": "missing_field"}),
    "growthbook": Source(left_out={"without_payload": "a notice that says nothing of the flags"}),
    "launchdarkly": Source(
        # Entries in the short form of the documentation, and a flag without its environments.
        foreseen={
            "flag__sample-copy": "missing_field",
            "flag__sample-targeting-rule-update": "missing_field",
            "flag_change__superplane": "missing_field",
        },
        left_out={"no_rollout_change": "not what a flag serves, or whom"},
    ),
    # Mocks of a third party, without a state or a time.
    "other_alerting": Source(foreseen={"__keep-": "missing_field"}),
    "segment": Source(("segment", "rudderstack")),
}

#: Folder of `raw_api` -> how its tables are read; a table without a kind is never asked for.
RAW: Mapping[str, Source] = {
    "github": Source(
        kinds={
            "comments": "rest.issue_comments",
            "events": "rest.issue_events",
            "issues": "rest.issues",
            "jobs": "rest.actions_jobs",
            "pr_reviews_bot_filter": "rest.pull_reviews",
            "pull_request_commits": "rest.pull_commits",
            "pull_request_review_comments": "rest.pull_comments",
            "pull_request_reviews": "rest.pull_reviews",
            "pull_requests": "rest.pulls",
            "pull_requests_bot_filter": "rest.pulls",
            "runs": "rest.actions_runs",
        },
        headers=_REPO,
        left_out=_GITHUB_LEFT_OUT,
    ),
    "gitlab": Source(kinds=GITLAB_KINDS, headers=_GITLAB_PROJECT, left_out=_GITLAB_LEFT_OUT),
    "jira": Source(kinds=JIRA_KINDS, headers=_ISSUE, left_out=_NO_MOVE),
    "jenkins": Source(kinds={**_JENKINS_KINDS, "stages_multibranch": "rest.stages"}, left_out=_NOT_A_STAGE),
    "circleci": Source(kinds=_CIRCLECI_KINDS, foreseen={"workflows:28": "missing_field"}, left_out=_CIRCLECI_LEFT_OUT),
}
