"""The kinds of webhooks that GitHub has: those that tell something, and those that are left out on purpose."""

from __future__ import annotations

from collections.abc import Callable

from connectors.github import approvals, changes, code, links, runs, tickets
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.forges import Repository
from pipeline.events.reading import Node

#: `X-GitHub-Event` -> how its body is read.
WEBHOOKS: dict[str, Callable[[Node, Repository, Context], Outcome]] = {
    "deployment": runs.deployment,
    "deployment_review": approvals.deployment_review,
    "deployment_status": runs.deployment_status,
    "issue_comment": changes.issue_comment,
    "issue_dependencies": links.issue_dependencies,
    "issues": tickets.issues,
    "pull_request": changes.pull_request,
    "pull_request_review": changes.pull_request_review,
    "pull_request_review_comment": changes.pull_request_review_comment,
    "push": code.push,
    "release": code.release,
    "sub_issues": links.sub_issues,
    "workflow_job": runs.workflow_job,
    "workflow_run": runs.workflow_run,
}

_NAMES = """
    branch_protection_configuration branch_protection_rule bypass_request_push_ruleset
    bypass_request_secret_scanning cache_sync check_run check_suite code_scanning_alert commit_comment
    content_reference create custom_property custom_property_promoted_to_enterprise custom_property_values delete
    dependabot_alert deploy_key deployment_protection_rule discussion discussion_comment
    dismissal_request_code_scanning dismissal_request_dependabot dismissal_request_secret_scanning enterprise
    exemption_request_push_ruleset exemption_request_secret_scanning fork github_app_authorization gollum
    installation installation_repositories installation_target label marketplace_purchase member
    membership merge_group meta milestone org_block organization organization_custom_property
    organization_custom_property_values package page_build personal_access_token_request ping project project_card
    project_column projects_v2 projects_v2_item projects_v2_status_update public pull_request_review_thread
    registry_package repository repository_advisory repository_dispatch repository_import repository_ruleset
    repository_vulnerability_alert secret_scanning_alert secret_scanning_alert_location secret_scanning_scan
    security_advisory security_and_analysis sponsorship star status team team_add user watch workflow_dispatch
"""

#: All other events of GitHub; the README says why for those that one might miss.
LEFT_OUT: frozenset[str] = frozenset(_NAMES.split())

#: Types that only the Events API has, or had.
PUBLIC_ONLY: frozenset[str] = frozenset({"download", "follow", "fork_apply", "gist"})
