"""Schemas and columns, by the examples in Snowplow's documentation of its SDKs and warehouses."""

from __future__ import annotations

import pytest

from connectors.snowplow.atomic import COLUMNS, TOLD
from connectors.snowplow.entities import column_of
from pipeline.events.errors import Quarantined


@pytest.mark.parametrize(
    ("schema", "column"),
    [
        ("iglu:org.schema/WebPage/jsonschema/1-0-0", "contexts_org_schema_web_page_1"),
        ("iglu:org.w3/PerformanceTiming/jsonschema/1-0-0", "contexts_org_w3_performance_timing_1"),
        (
            "iglu:com.snowplowanalytics.snowplow/ua_parser_context/jsonschema/1-0-0",
            "contexts_com_snowplowanalytics_snowplow_ua_parser_context_1",
        ),
        ("iglu:com.acme-shop/link-click/jsonschema/12-3-4", "contexts_com_acme_shop_link_click_12"),
        ("iglu:com.acme/HTTPCall/jsonschema/2-0-0", "contexts_com_acme_http_call_2"),
    ],
)
def test_a_schema_has_the_column_of_the_sdks(schema: str, column: str) -> None:
    assert column_of(schema) == column


@pytest.mark.parametrize("schema", ["WebPage", "iglu:org.schema/WebPage", "iglu:org.schema/WebPage/jsonschema/1"])
def test_what_is_no_schema_is_quarantined(schema: str) -> None:
    with pytest.raises(Quarantined, match="bad_value"):
        column_of(schema)


def test_columns_are_those_of_an_event() -> None:
    assert len(COLUMNS) == len(set(COLUMNS)) == 131
    assert set(TOLD) < set(COLUMNS)
