"""The cast: the teams, services and initiatives of a plan, and which of them plays which part."""

from __future__ import annotations

import msgspec

from pipeline.events.ids import pseudonym
from pipeline.simulate.plan import SERVICES_PER_TEAM, Plan

ORGANISATION = "acme"
PEOPLE_PER_TEAM = 6

#: (team, its type, tracker project, its two services, its initiative)
_ROSTER = (
    ("growth", "stream-aligned", "GROW", ("signup", "onboarding"), "faster-activation"),
    ("checkout", "stream-aligned", "CHKT", ("cart", "payments"), "fewer-abandoned-carts"),
    ("platform", "platform", "PLAT", ("gateway", "ledger"), "paved-road"),
    ("search", "stream-aligned", "SRCH", ("catalogue", "ranking"), "better-first-result"),
    ("identity", "complicated-subsystem", "IDNT", ("login", "sessions"), "passkeys-everywhere"),
    ("internal-tools", "enabling", "TOOL", ("backoffice", "reports"), "self-service-reports"),
    ("logistics", "stream-aligned", "LOGI", ("tracking", "returns"), "two-day-delivery"),
    ("pricing", "complicated-subsystem", "PRIC", ("quotes", "discounts"), "honest-prices"),
)


class Team(msgspec.Struct, frozen=True):
    """A team, the project in which it tracks work, and the pseudonyms of its people."""

    name: str
    type: str
    project: str
    people: tuple[str, ...]


class Initiative(msgspec.Struct, frozen=True):
    """A strategic bet. Its epics are found below the ticket `root` or, `by_label`, by `epic_label`."""

    name: str
    display_name: str
    owner: str
    root: str
    by_label: bool

    @property
    def label(self) -> str:
        """The label of changes that serve it."""
        return f"initiative/{self.name}"

    @property
    def epic_label(self) -> str:
        """The label of its epics, where they are found by label."""
        return f"bet-{self.name}"


class Service(msgspec.Struct, frozen=True):
    """A service. `path` is its folder where it shares a repository; `told`: deployments carry its name."""

    name: str
    owner: str
    repo: str
    path: str | None
    told: bool
    #: The sources' words for production, of which each service uses its own.
    production: str


class Cast(msgspec.Struct, frozen=True):
    """Who plays. Parts name services or teams; a part that the plan leaves out is None."""

    teams: tuple[Team, ...]
    services: tuple[Service, ...]
    initiatives: tuple[Initiative, ...]
    slow: str | None
    bad: str | None
    hot: str | None
    rehomed: str | None
    renamed: str | None
    orphans: str | None

    def team(self, name: str) -> Team:
        """Return the team of that name. Raises KeyError if there is none."""
        for team in self.teams:
            if team.name == name:
                return team
        raise KeyError(name)


def cast_of(plan: Plan) -> Cast:
    """Return the cast of a plan.

    With fewer than four teams a service may play several parts. A lone team is not re-organised.
    """
    rows = [_row(number) for number in range(plan.teams)]
    teams = tuple(Team(name, kind, project, _people(name)) for name, kind, project, _, _ in rows)
    services = tuple(
        _service(names[position], position, team, shared=kind == "platform", told=number % 2 == 0)
        for number, (team, kind, _, names, _) in enumerate(rows)
        for position in range(SERVICES_PER_TEAM)
    )
    initiatives = tuple(
        Initiative(name, name.replace("-", " ").capitalize(), team, f"{project}-1", number % 2 == 1)
        for number, (team, _, project, _, name) in enumerate(rows)
    )

    def part(position: int, *, wanted: bool) -> str | None:
        return services[position % len(services)].name if wanted else None

    return Cast(
        teams=teams,
        services=services,
        initiatives=initiatives,
        slow=part(0, wanted=plan.slow_service),
        rehomed=part(6, wanted=plan.reorganisation and plan.teams > 1),
        bad=part(2, wanted=plan.bad_spell),
        hot=part(3, wanted=plan.hotfix_spell),
        renamed=part(1, wanted=plan.reorganisation and plan.teams > 1),
        orphans=teams[-1].name if plan.orphan_team else None,
    )


def _row(number: int) -> tuple[str, str, str, tuple[str, str], str]:
    """Return the roster's row; past its end, rows come again with a number in every name."""
    name, kind, project, (one, other), initiative = _ROSTER[number % len(_ROSTER)]
    round_number = number // len(_ROSTER)
    if round_number == 0:
        return name, kind, project, (one, other), initiative
    tail = str(round_number + 1)
    return f"{name}-{tail}", kind, project + tail, (f"{one}-{tail}", f"{other}-{tail}"), f"{initiative}-{tail}"


def _people(team: str) -> tuple[str, ...]:
    return tuple(pseudonym(f"{team}-{number}", b"simulated") or "" for number in range(PEOPLE_PER_TEAM))


def _service(name: str, position: int, team: str, *, shared: bool, told: bool) -> Service:
    return Service(
        name=name,
        owner=team,
        repo=f"{ORGANISATION}/{team}" if shared else f"{ORGANISATION}/{name}",
        path=name if shared else None,
        told=shared or told,
        production=("production", "prod")[position],
    )
