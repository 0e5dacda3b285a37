"""Signed messages of all vendors that sign.

`published` says where one is from. Where a vendor gives the construction but no example, it was computed with
`openssl dgst -hmac`, so that no vector depends on the code under test.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

OPENSSL = "computed with openssl"
ATLASSIAN = "developer.atlassian.com and support.atlassian.com, webhook secrets"
STANDARD = "standardwebhooks.com, reference libraries"


@dataclass(frozen=True)
class Vector:
    """A signed message. `signed_at` is the time that is signed with it, in seconds since 1970, or None."""

    connector: str
    published: str
    secret: bytes
    body: bytes
    headers: dict[str, str]
    signed_at: float | None = None

    @property
    def sent(self) -> datetime:
        """When it was signed; anything, if that is not told."""
        return datetime.fromtimestamp(self.signed_at or 0, UTC)


_RFC_4231 = (b"Jefe", b"what do ya want for nothing?")
_RFC_4231_PROOF = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
_ATLASSIAN = (b"It's a Secret to Everybody", b"Hello World!")
_ATLASSIAN_PROOF = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
_STANDARD = (b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}')
_STANDARD_HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": "1614265330",
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
_PAGERDUTY_BODY = (
    b'{"event":{"id":"01BWDWL3NYY7LUFPZCC28QUCMK","event_type":"incident.priority_updated","resource_type":"incident",'
    b'"occurred_at":"2021-04-26T17:36:27.458Z","agent":{"html_url":"https://acme.pagerduty.com/users/PLH1HKV","id":'
    b'"PLH1HKV","self":"https://api.pagerduty.com/users/PLH1HKV","summary":"Tenex Engineer","type":"user_reference"},'
    b'"client":null,"data":{"id":"PGR0VU2","type":"incident","self":"https://api.pagerduty.com/incidents/PGR0VU2",'
    b'"html_url":"https://acme.pagerduty.com/incidents/PGR0VU2","number":2,"status":"triggered","title":'
    b'"A little bump in the road","service":{"html_url":"https://acme.pagerduty.com/services/PF9KMXH","id":"PF9KMXH",'
    b'"self":"https://api.pagerduty.com/services/PF9KMXH","summary":"API Service","type":"service_reference"},'
    b'"assignees":[{"html_url":"https://acme.pagerduty.com/users/PTUXL6G","id":"PTUXL6G","self":'
    b'"https://api.pagerduty.com/users/PTUXL6G","summary":"User 123","type":"user_reference"}],"escalation_policy":'
    b'{"html_url":"https://acme.pagerduty.com/escalation_policies/PUS0KTE","id":"PUS0KTE","self":'
    b'"https://api.pagerduty.com/escalation_policies/PUS0KTE","summary":"Default","type":"escalation_policy_reference"},'
    b'"teams":[{"html_url":"https://acme.pagerduty.com/teams/PFCVPS0","id":"PFCVPS0","self":'
    b'"https://api.pagerduty.com/teams/PFCVPS0","summary":"Engineering","type":"team_reference"}],"priority":{"html_url":'
    b'"https://acme.pagerduty.com/account/incident_priorities","id":"PSO75BM","self":'
    b'"https://api.pagerduty.com/priorities/PSO75BM","summary":"P1","type":"priority_reference"},"urgency":"high",'
    b'"conference_bridge":{"conference_number":1000,"conference_url":"https://example.com"},"resolve_reason":null}}}'
)
_CIRCLECI = "circleci.com/docs, outbound webhooks"

VECTORS = [
    Vector(
        "github",
        "docs.github.com, validating webhook deliveries",
        b"It's a Secret to Everybody",
        b"Hello, World!",
        {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
    ),
    Vector("bitbucket_cloud", ATLASSIAN, *_ATLASSIAN, {"X-Hub-Signature": _ATLASSIAN_PROOF}),
    Vector("bitbucket_server", ATLASSIAN, *_ATLASSIAN, {"X-Hub-Signature": _ATLASSIAN_PROOF}),
    Vector("jira", ATLASSIAN, *_ATLASSIAN, {"X-Hub-Signature": _ATLASSIAN_PROOF}),
    Vector("gitea", "RFC 4231, case 2", *_RFC_4231, {"X-Gitea-Signature": _RFC_4231_PROOF}),
    Vector("gitea", "RFC 4231, case 2", *_RFC_4231, {"X-Forgejo-Signature": _RFC_4231_PROOF}),
    Vector("gitea", "RFC 4231, case 2", *_RFC_4231, {"X-Hub-Signature-256": f"sha256={_RFC_4231_PROOF}"}),
    Vector("gitlab", STANDARD, *_STANDARD, _STANDARD_HEADERS, 1_614_265_330),
    Vector("incident_io", STANDARD, *_STANDARD, _STANDARD_HEADERS, 1_614_265_330),
    Vector("render", STANDARD, *_STANDARD, _STANDARD_HEADERS, 1_614_265_330),
    Vector("growthbook", STANDARD, *_STANDARD, _STANDARD_HEADERS, 1_614_265_330),
    Vector(
        "growthbook",
        OPENSSL,
        b"gb-secret",
        b'{"type":"feature.updated"}',
        {"X-GrowthBook-Signature": "4a6a42a6393bf2e6bf3b091ae30fed4627ae9166fb1188d9b4876bca495f431c"},
    ),
    Vector(
        "pagerduty",
        "github.com/PagerDuty/go-pagerduty, webhookv3",
        b"lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK",
        _PAGERDUTY_BODY,
        {"X-PagerDuty-Signature": "v1=0c0b9495b893a39e70d1fea2fe11fbe0a825f88b9f67846f6cc07dd2bc5476cd"},
    ),
    Vector(
        "circleci",
        _CIRCLECI,
        b"secret",
        b"hello world",
        {"circleci-signature": "v1=734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a"},
    ),
    Vector(
        "circleci",
        _CIRCLECI,
        b"hunter123",
        b"an-important-request-payload",
        {"circleci-signature": "v1=9be2242094a9a8c00c64306f382a7f9d691de910b4a266f67bd314ef18ac49fa"},
    ),
    Vector(
        "linear",
        OPENSSL,
        b"lin_wh_5f2c9d1e",
        b'{"action":"create","type":"Issue","webhookTimestamp":1774553375841}',
        {"Linear-Signature": "b1f825ca5d0c8dd7a02ff2fb595f1bc2779ed33f444dd66ebcfd3fb7a92ab426"},
        1_774_553_375.841,
    ),
    Vector(
        "buildkite",
        OPENSSL,
        b"buildkite-token",
        b'{"event":"ping"}',
        {
            "X-Buildkite-Signature": "timestamp=1619071700,"
            "signature=00848db9eeed2ccbf3abdf2798aa54a7ae8f14f9c37b1ddffeeeb1c2377b7eea"
        },
        1_619_071_700,
    ),
    Vector(
        "rootly",
        OPENSSL,
        b"webhook secret",
        b'{"event":{"id":"9839c4ca","type":"incident.created"}}',
        {"X-Rootly-Signature": "t=1492774588,v1=e42f9d8ed7294441f7a8ab7ea90d989a60df71314b659d346103d3255acf7a6d"},
        1_492_774_588,
    ),
    Vector(
        "grafana_alerting",
        OPENSSL,
        b"s3cret",
        b'{"status":"firing","alerts":[]}',
        {
            "X-Grafana-Alerting-Signature": "2514f266a8cb76e024e708c173eeaca9c236fef572cd96c331066bd61140e291",
            "X-Grafana-Alerting-Timestamp": "1700000000",
        },
        1_700_000_000,
    ),
    Vector(
        "grafana_alerting",
        OPENSSL,
        b"s3cret",
        b'{"status":"firing","alerts":[]}',
        {"X-Grafana-Alerting-Signature": "80a9b3dee69be8445f810d7f6dc9b81a85fca253b1e84d752fb90fef0a5b014f"},
    ),
    Vector(
        "sentry",
        OPENSSL,
        b"client-secret",
        b'{"action":"created","data":{"issue":{"id":"1"}}}',
        {"Sentry-Hook-Signature": "b4fba633488444ec6d0453d0af0b3f8df059212a5f4ab4c78d9cb74599d89f22"},
    ),
    Vector(
        "firehydrant",
        OPENSSL,
        b"s3cret",
        b'{"event":{"operation":"CREATED","resource_type":"incident"}}',
        {"FH-Signature": "ae8530620c630302569bd56771be95f58f5fb7a1cab8328ee8bc7a1e1c33ca43"},
    ),
    Vector(
        "flux",
        OPENSSL,
        b"s3cret",
        b'{"involvedObject":{"kind":"Kustomization"}}',
        {"X-Signature": "sha256=c188364d7684a8762ae9350b1ad1f074a591e0442c7d87023d4c4cf013cdef76"},
    ),
    Vector(
        "trello",
        OPENSSL,
        b"secret@https://example.com/hooks/trello",
        b'{"hello":"world"}',
        {"X-Trello-Webhook": "tEVnNYzIvHdHJ+2ZivmmkblwUkI="},
    ),
    Vector(
        "launchdarkly",
        OPENSSL,
        b"ld-secret",
        b'{"kind":"flag","accesses":[{"action":"updateOn"}]}',
        {"X-LD-Signature": "907d2793e1419c79b8d44e4adfcecbc913349f666e917c7c5f3737a36a83732a"},
    ),
    Vector(
        "segment",
        OPENSSL,
        b"shared secret",
        b'{"type":"track","event":"Signed Up"}',
        {"X-Signature": "f16399d744c200371d1ac90695c8182530c1cad6"},
    ),
    Vector(
        "asana",
        OPENSSL,
        b"b537207f20cbfa02357cf448134da559",
        b'{"events":[]}',
        {"X-Hook-Signature": "3fc836005dfa84ae042d88d80e2473a1c6d931719bd8e9106bf6bc54a505a3f7"},
    ),
    Vector(
        "taiga",
        OPENSSL,
        b"taiga-key",
        b'{"type":"issue","action":"change"}',
        {"X-Taiga-Webhook-Signature": "b3c81a9554708518f524d7e2e6389660e1ca4f93"},
    ),
    Vector(
        "signalfx",
        OPENSSL,
        b"sfx-secret",
        b'{"status":"anomalous"}',
        {"X-SFX-Signature": "JDGdvaw4TRCzkzz/o4KwV0cxJTX2uija+r1fIYHN9vY="},
    ),
]
#: Whose tools sign nothing, or with certificates alone: the secret is shown. And those that nobody pushes to.
SHOWN = frozenset(
    [
        "alertmanager",
        "amplitude",
        "argo_cd",
        "argo_rollouts",
        "aws_codepipeline",
        "azure_devops",
        "bamboo",
        "cdevents",
        "cloudwatch",
        "datadog",
        "flagger",
        "ga4",
        "gcp_cloudbuild",
        "gcpmonitoring",
        "harness_cd",
        "jenkins",
        "mapping",
        "mixpanel",
        "newrelic",
        "octopus_deploy",
        "opsgenie",
        "posthog",
        "rudderstack",
        "samples",
        "servicenow",
        "snowplow",
        "spinnaker",
        "statuspage",
        "tapd",
        "teambition",
        "tekton",
        "unleash",
        "zentao",
    ]
)
NOT_PUSHED = frozenset({"git"})
