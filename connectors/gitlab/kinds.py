"""The kinds of webhooks that GitLab has: those that tell something, and those that are left out on purpose."""

from __future__ import annotations

from collections.abc import Callable

from connectors.gitlab import changes, code, runs, tickets
from connectors.gitlab.project import Project
from pipeline.events.delivery import Context
from pipeline.events.deploying import Outcome
from pipeline.events.reading import Node

UNKNOWN = "unknown"

#: `object_kind` -> how its body is read.
WEBHOOKS: dict[str, Callable[[Node, Project, Context], Outcome]] = {
    "build": runs.job,
    "deployment": runs.deployment,
    "issue": tickets.issue,
    "merge_request": changes.merge_request,
    "note": changes.note,
    "pipeline": runs.pipeline,
    "push": code.push,
    "release": code.release,
    "work_item": tickets.issue,
}

_NAMES = """
    access_token award emoji feature_flag milestone project resource_access_token resource_deploy_token tag_push
    vulnerability wiki_page expiring_access_token deploy_token
    gitlab_subscription_member_approval gitlab_subscription_member_approvals
    group_create group_destroy group_rename group_update key_create key_destroy
    project_create project_destroy project_rename project_transfer project_update repository_update
    subgroup_create subgroup_destroy
    user_access_request_denied_for_group user_access_request_denied_for_project user_access_request_revoked_for_group
    user_access_request_revoked_for_project user_access_request_to_group user_access_request_to_project
    user_add_to_group user_add_to_team user_create user_destroy user_failed_login user_remove_from_group
    user_remove_from_team user_rename user_update_for_group user_update_for_team
"""

#: All others. `tag_push` says neither when the tag was made nor whether it is a release.
LEFT_OUT: frozenset[str] = frozenset(_NAMES.split())


def kind_of(root: Node) -> str | None:
    """Return what a body says it is: `object_kind`, else `event_name` (members, subgroups, system hooks)."""
    return root.text_or_none("object_kind") or root.text_or_none("event_name")
