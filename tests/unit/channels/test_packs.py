"""Packs: those that are shipped hold what they say, and a bad one is refused with its place."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hub.channels import conversions, expressions, samples, shipped
from hub.channels import pack as packs
from hub.domain.documents import BadDocument

SCHEMA = Path(__file__).parents[3] / "docs" / "pack.schema.json"


@pytest.mark.parametrize("name", shipped.names())
def test_every_sample_of_a_shipped_pack_comes_out_as_it_says(name: str) -> None:
    assert [str(one) for one in samples.failures(shipped.pack(name))] == []


@pytest.mark.parametrize("name", shipped.names())
def test_a_shipped_pack_is_valid_by_the_published_schema(name: str) -> None:
    jsonschema.validate(shipped.document_of(shipped.text(name)), packs.schema())


@pytest.mark.parametrize("name", shipped.names())
def test_a_shipped_pack_says_what_of_it_is_invented(name: str) -> None:
    pack = shipped.pack(name)
    assert pack.pack == name
    assert pack.invented


def test_the_published_schema_is_that_of_the_model() -> None:
    assert json.loads(SCHEMA.read_text("utf-8")) == packs.schema()


def test_the_nine_platforms_have_a_pack() -> None:
    assert set(shipped.names()) == {
        "website",
        "wechat_miniprogram",
        "wechat_shop",
        "youzan",
        "doudian",
        "douyin_laike",
        "store_till",
        "crm_generic",
        "erp_stock",
    }


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(shipped.document_of(shipped.text("store_till")))


def _refusal(document: dict[str, Any]) -> BadDocument:
    with pytest.raises(BadDocument) as caught:
        samples.check(packs.read(document))
    return caught.value


def test_a_pack_whose_sample_fails_is_refused_with_the_sample_and_the_field(
    document: dict[str, Any],
) -> None:
    document["samples"][0]["expect"]["events"][1]["data"]["amount"] = "381.51"
    bad = _refusal(document)
    assert bad.field == "$.samples[0]"
    assert "a ticket of two lines" in bad.reason
    assert "events[1].data.amount is '381.50', expected '381.51'" in bad.reason


def test_a_line_that_cannot_be_read_is_refused_with_its_place(document: dict[str, Any]) -> None:
    document["events"][0]["emit"][0]["data"]["total"] = "$.total | eval"
    bad = _refusal(document)
    assert bad.field == "$.events[0].emit[0].data.total"
    assert "'eval' is no conversion: use one of" in bad.reason


def test_an_unknown_field_of_a_pack_is_refused_with_its_place(document: dict[str, Any]) -> None:
    document["envelope"]["python"] = "import os"
    assert _refusal(document).field == "$.envelope"


def test_a_type_of_event_that_only_the_hub_decides_is_refused(document: dict[str, Any]) -> None:
    document["events"][0]["emit"][0]["type"] = "reservation.created"
    assert _refusal(document).field == "$.events[0].emit[0].type"


def test_a_map_that_does_not_exist_is_refused(document: dict[str, Any]) -> None:
    document["maps"] = {}
    assert "there is no map 'method'" in _refusal(document).reason


def test_a_fetch_that_does_not_exist_is_refused(document: dict[str, Any]) -> None:
    document["events"][0]["fetch"] = "order"
    assert _refusal(document).field == "$.events[0].fetch"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("a: 1\na: 2\n", "twice"),
        ("!!python/object/apply:os.system ['x']", "no YAML"),
        ("- a\n", "object"),
        ("a: [", "no YAML"),
        ("x: " + "a" * 600_000, "bytes"),
    ],
)
def test_yaml_that_is_more_than_data_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadDocument, match=why):
        shipped.document_of(text)


def test_yaml_does_not_guess_at_times_and_words() -> None:
    read = shipped.document_of("on: off\nwhen: 2026-03-01\nno: true\n")
    assert read == {"on": "off", "when": "2026-03-01", "no": True}


def test_the_pack_of_the_guide_is_a_pack_and_its_sample_comes_out() -> None:
    guide = (SCHEMA.parent / "channels.md").read_text("utf-8")
    text = guide.split("```yaml\n")[1].split("```")[0]
    samples.check(packs.read(shipped.document_of(text)))


def test_every_conversion_stands_in_the_guide() -> None:
    guide = (SCHEMA.parent / "channels.md").read_text("utf-8")
    known = {*conversions.CONVERSIONS, *expressions.WITH_PACK}
    assert {name for name in known if f"`{name}`" not in guide} == set()
    assert {name for name in expressions.WITH_ARGUMENT if f"`{name}(" not in guide} == set()
