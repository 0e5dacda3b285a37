"""The door of a connector that has no secret: shut, unless a person opened it on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline.events.delivery import Answer, Connector, Context, Delivery, Greeting, Translation
from pipeline.events.errors import Rejected


class WithoutSecret:
    """A connector for which no secret is configured.

    Its `verify` lets everything in if `allow_unsigned`, else it refuses with 403 and names the setting. What the
    connector refuses for another reason than a missing proof stays refused: one that is never pushed to, for instance.
    Whether anybody is here, it tells. How old a message is, nobody vouches for.
    """

    def __init__(self, connector: Connector, *, allow_unsigned: bool) -> None:
        self.name = connector.name
        self._connector = connector
        self._allow_unsigned = allow_unsigned

    def translate(self, delivery: Delivery, context: Context) -> Translation:
        return self._connector.translate(delivery, context)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
        try:
            self._connector.verify(headers, body, secrets)
        except Rejected as error:
            if error.status != 401:
                raise
        if not self._allow_unsigned:
            raise Rejected(
                403,
                f"no secret is configured for {self.name}: set connectors.{self.name}.secrets or secrets_file, and "
                f"the same at the sender; or connectors.{self.name}.allow_unsigned, if no one else reaches this port",
            )

    def describe(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        return self._connector.describe(headers, body)

    def greet(self, method: str, headers: Mapping[str, str]) -> Answer | None:
        return self._connector.greet(method, headers) if isinstance(self._connector, Greeting) else None


def doors(
    connectors: Mapping[str, Connector],
    secrets: Callable[[str], Sequence[bytes]],
    takes_unsigned: Callable[[str], bool],
) -> dict[str, Connector]:
    """Return the connectors as pushed deliveries meet them; the callables tell of one by name."""
    return {
        name: connector if any(secrets(name)) else WithoutSecret(connector, allow_unsigned=takes_unsigned(name))
        for name, connector in connectors.items()
    }
