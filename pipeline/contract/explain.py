"""A pydantic error -> what a person wrote, why it cannot be used, and what to write instead."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pipeline.contract.problems import FieldPath, closest, did_you_mean

_EXPECTED = {
    "string_type": "text",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def explain(model: type[BaseModel], errors: Iterable[ErrorDetails]) -> list[tuple[FieldPath, str]]:
    """Return path and message of the errors that `model` raised over a plain value.

    A key that is missing because it is misspelt is one error, not two.
    """
    explained = [(error["type"], *_explain(model, error)) for error in errors]
    misspelt = {
        (*path[:-1], closest(str(path[-1]), _keys(_type_at(model, path[:-1]))))
        for kind, path, _ in explained
        if kind == "extra_forbidden"
    }
    return [(path, message) for kind, path, message in explained if kind != "missing" or path not in misspelt]


def _explain(model: type[BaseModel], error: ErrorDetails) -> tuple[FieldPath, str]:
    path = tuple(part for part in error["loc"] if part != "[key]")
    kind = error["type"]
    if kind == "extra_forbidden":
        return path, _unknown_key(model, path)
    if kind == "missing":
        return path, f"required, but missing{_purpose(model, path)}"
    if kind in _EXPECTED:
        return path, f"expected {_EXPECTED[kind]}, found {_found(error['input'])}{_cure(kind, error['input'])}"
    if kind == "literal_error":
        choices = get_args(_type_at(model, error["loc"]))
        value = error["loc"][-2] if error["loc"][-1] == "[key]" else error["input"]
        return (
            path,
            f"{value!r} is not one of {', '.join(map(str, choices))}{did_you_mean(str(value), map(str, choices))}",
        )
    cause = error.get("ctx", {}).get("error")
    return path, str(cause or error["msg"])


def _unknown_key(model: type[BaseModel], path: FieldPath) -> str:
    key = str(path[-1])
    parent = _type_at(model, path[:-1])
    keys = _keys(parent)
    if hint := did_you_mean(key, keys):
        return f"unknown key{hint}"
    section = next((name for name in ("metadata", "spec") if key in _keys(_type_at(model, (name,)))), None)
    if section:
        return f"unknown key; it belongs under {section!r}"
    return f"unknown key; valid keys are {', '.join(keys)}"


def _purpose(model: type[BaseModel], path: FieldPath) -> str:
    field = _fields(_type_at(model, path[:-1])).get(str(path[-1]))
    description = field.description if field else None
    return f": {description}" if description else ""


def _found(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {value if len(value) <= 40 else value[:40] + '...'!r}"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def _cure(kind: str, value: object) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "; put it in quotes"
    if kind == "string_type" and isinstance(value, list):
        return "; write exactly one"
    if kind == "list_type" and isinstance(value, str):
        return f"; write [{value}]"
    return ""


def _fields(kind: Any) -> dict[str, FieldInfo]:
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    return {field.alias or name: field for name, field in kind.model_fields.items()}


def _keys(kind: Any) -> list[str]:
    return list(_fields(kind))


def _type_at(model: type[BaseModel], path: FieldPath) -> Any:
    """Return the type that `model` expects at `path`, None if nothing; after a mapping's key, `[key]` means the key."""
    current: Any = model
    for part, following in zip_longest(path, path[1:]):
        if part != "[key]":
            current = _bare(_step(current, part, is_key=following == "[key]"))
    return current


def _step(current: Any, part: str | int, *, is_key: bool) -> Any:
    origin, arguments = get_origin(current), get_args(current)
    if origin is dict:
        return arguments[0 if is_key else 1]
    if origin is list:
        return arguments[0]
    if field := _fields(current).get(str(part)):
        return field.annotation
    extra = get_type_hints(current).get("__pydantic_extra__") if _fields(current) else None
    return get_args(extra)[1] if get_origin(extra) is dict else None


def _bare(annotation: Any) -> Any:
    """Strip `Annotated` and `None` from an annotation."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(next(each for each in get_args(annotation) if each is not type(None)))
    return annotation
