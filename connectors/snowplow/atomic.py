"""The columns of an enriched event, in the order of its tab separated form."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.events.errors import Quarantined
from pipeline.events.reading import Node

COLUMNS = tuple(
    """
    app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker
    v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid
    geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization
    ip_domain ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath
    page_urlquery page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery
    refr_urlfragment refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign
    contexts se_category se_action se_label se_property se_value unstruct_event tr_orderid tr_affiliation tr_total
    tr_tax tr_shipping tr_city tr_state tr_country ti_orderid ti_sku ti_name ti_category ti_price ti_quantity
    pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent br_name br_family br_version br_type
    br_renderengine br_lang br_features_pdf br_features_flash br_features_java br_features_director
    br_features_quicktime br_features_realplayer br_features_windowsmedia br_features_gears br_features_silverlight
    br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family os_manufacturer os_timezone dvce_type
    dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width doc_height tr_currency tr_total_base
    tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone mkt_clickid mkt_network
    etl_tags dvce_sent_tstamp refr_domain_userid refr_device_tstamp derived_contexts domain_sessionid derived_tstamp
    event_vendor event_name event_format event_version event_fingerprint true_tstamp
    """.split()  # noqa: SIM905 - as the documentation writes its header
)

#: Columns by which a metric may select, or from which it may take a value. Who it was and when is told elsewhere.
TOLD = tuple(
    """
    app_id platform event event_vendor event_version name_tracker geo_country geo_region page_urlhost page_urlpath
    page_title refr_medium refr_source mkt_medium mkt_source mkt_campaign mkt_content se_category se_action se_label
    se_property se_value tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_currency tr_total_base ti_orderid
    ti_sku ti_name ti_category ti_price ti_quantity ti_currency ti_price_base base_currency br_lang dvce_type os_name
    """.split()  # noqa: SIM905 - as the documentation writes its header
)
NUMBERS = frozenset(
    {"se_value", "tr_total", "tr_tax", "tr_shipping", "tr_total_base", "ti_price", "ti_price_base", "ti_quantity"}
)


def is_line(body: bytes) -> bool:
    """Return whether a body is tab separated rather than JSON."""
    start = body.lstrip(b" \r\n")[:1]
    return b"\t" in body.split(b"\n", 1)[0] and start not in (b"{", b"[")


def lines(body: bytes) -> Iterator[Node]:
    """Yield each line as a row. Raises `Quarantined`: `bad_json` (not UTF-8), `bad_value` (too few or many columns)."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Quarantined("bad_json", f"{error} (body of {len(body)} bytes)") from error
    for number, line in enumerate(text.split("\n"), 1):
        fields = line.removesuffix("\r").split("\t")
        if fields == [""]:
            continue
        if len(fields) != len(COLUMNS):
            raise Quarantined(
                "bad_value", f"line {number} has {len(fields)} columns; an enriched event has {len(COLUMNS)}"
            )
        yield Node(dict(zip(COLUMNS, fields, strict=True)), f"line {number}")
