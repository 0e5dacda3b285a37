"""The JSON Schema of contract files, for editors and for checks without Leadline."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from pipeline.contract.model import KINDS, AnyObject


def json_schema(kind: str | None = None) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one kind, or (None) of any object of a contract.

    Raises KeyError for a kind that does not exist.
    """
    model: Any = KINDS[kind] if kind else Annotated[AnyObject, Field(discriminator="kind")]
    schema = TypeAdapter(model).json_schema(by_alias=True)
    title = f"Leadline {kind or 'contract'}"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}
