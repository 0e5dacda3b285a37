"""What LaunchDarkly's messages can be about."""

from __future__ import annotations

#: Kinds of resources in the audit log that are no flag.
OTHER_KINDS = frozenset(
    (
        "account", "ai-config", "ai-model-config", "announcement", "application", "application-version",
        "approval-request", "aiconfig", "code-reference-repository", "context-kind", "destination",
        "domain-verification", "environment", "experiment", "holdout", "insights-group", "integration", "layer",
        "member", "metric", "metric-group", "oauth-client", "payload-filter", "pending-request",
        "product-analytics-dashboard", "project", "relay-proxy-config", "release-pipeline", "release-policy", "role",
        "segment", "service-token", "session", "team", "template", "token", "user", "view", "webhook", "workflow",
    )
)  # fmt: skip
#: Kinds of flags in the API.
FLAG_KINDS = frozenset({"boolean", "multivariate"})
#: The kind of event of Data Export that a unit was given a variation; the observation has its name.
EXPOSED = "feature"
#: Kinds of events of Data Export that are neither an evaluation nor tracked by name.
OTHER_EXPORTS = frozenset({"index", "identify", "click", "pageview", "summary", "alias", "debug", "migration_op"})
#: Actions on a flag by which nobody is served anything else.
ASIDE = frozenset(
    (
        "updateName", "updateDescription", "updateTags", "updateTag", "updateMaintainer", "updateTemporary",
        "updateDeprecated", "updateIncludeInSnippet", "updateClientSideFlagAvailability",
        "updateFlagCustomProperties", "updateCustomProperties", "updateFlagDefaultVariations", "updateTrackEvents",
        "updateFallthroughTrackEvents", "createFlagLink", "updateFlagLink", "deleteFlagLink", "createApprovalRequest",
        "updateApprovalRequest", "reviewApprovalRequest", "deleteApprovalRequest", "updateScheduledChanges",
        "deleteScheduledChanges", "createScheduledChanges", "manageFlagFollowers",
    )
)  # fmt: skip
