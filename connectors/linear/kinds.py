"""The types of webhooks that Linear has: those that tell something, and those that are left out on purpose."""

from __future__ import annotations

ISSUE = "Issue"
PROJECT = "Project"
INITIATIVE = "Initiative"
RELATION = "IssueRelation"

#: What the GraphQL API answers to a query for it.
GRAPHQL_ISSUES = "graphql.issues"
GRAPHQL_PROJECTS = "graphql.projects"
GRAPHQL_INITIATIVES = "graphql.initiatives"

UNKNOWN = "unknown"

#: Type of the webhook -> the code by which it is counted.
LEFT_OUT: dict[str, str] = {
    "AgentActivity": "agent_activity",
    "AgentSessionEvent": "agent_session",
    "AppUserNotification": "notification",
    "Attachment": "attachment",
    "AuditEntry": "audit_entry",
    "Comment": "comment",
    "Customer": "customer",
    "CustomerNeed": "customer_need",
    "Cycle": "cycle",
    "Document": "document",
    "InitiativeUpdate": "initiative_update",
    "IssueLabel": "issue_label",
    "IssueSLA": "issue_sla",
    "OAuthApp": "oauth_app",
    "OAuthAuthorization": "oauth_app",
    "PermissionChange": "permission_change",
    "ProjectLabel": "project_label",
    "ProjectMilestone": "project_milestone",
    "ProjectUpdate": "project_update",
    "Reaction": "reaction",
    "Release": "release",
    "ReleaseNote": "release_note",
    "Team": "team",
    "User": "user",
    "WorkflowState": "workflow_state",
}

CREATE, UPDATE, REMOVE, RESTORE = "create", "update", "remove", "restore"
ACTIONS = frozenset({CREATE, UPDATE, REMOVE, RESTORE})
