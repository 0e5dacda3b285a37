"""All stories. Fold and audit are each tested on every one of them."""

from __future__ import annotations

from tests.simulation.stories_assistants import ASSISTANTS
from tests.simulation.stories_decisions import DECIDED
from tests.simulation.stories_delivery import DELIVERY
from tests.simulation.stories_dependencies import DEPENDENCIES
from tests.simulation.stories_deployments import DEPLOYMENTS
from tests.simulation.stories_failures import FAILURES
from tests.simulation.stories_flow import FLOW
from tests.simulation.stories_identity import IDENTITY
from tests.simulation.stories_known import KNOWN
from tests.simulation.stories_overdue import OVERDUE
from tests.simulation.stories_recovery import RECOVERIES
from tests.simulation.stories_scopes import SCOPES
from tests.simulation.stories_tickets import TICKETS
from tests.simulation.stories_waits import WAITS
from tests.simulation.stories_work import WORK
from tests.simulation.story import Story

STORIES: tuple[Story, ...] = (
    *DELIVERY,
    *DEPLOYMENTS,
    *FAILURES,
    *RECOVERIES,
    *IDENTITY,
    *TICKETS,
    *SCOPES,
    *KNOWN,
    *WORK,
    *FLOW,
    *DEPENDENCIES,
    *OVERDUE,
    *WAITS,
    *DECIDED,
    *ASSISTANTS,
)
