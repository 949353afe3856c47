"""Files as they come out of Chinese back offices: read as text, refused by row, looked at first."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook

from hub.channels import files, shipped, tables
from hub.channels.files import Loaded, Where
from hub.channels.requests import Given
from hub.channels.tables import TableUnreadable
from hub.domain.documents import BadDocument

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
HEADERS = "会员编号,姓名,手机号码(必填),等级\n"


def loaded(data: bytes, part: str = "members", pack: str = "crm_generic") -> Loaded:
    read = shipped.pack(pack)
    where = Where("hq", AS_OF, datetime(2026, 3, 2, tzinfo=UTC))
    return files.load(read, files.part_of(read, part), Given("crm"), tables.read(data), where)


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_in_gb18030_or_with_a_bom_is_read_and_chinese_headers_are_guessed(
    encoding: str,
) -> None:
    found = loaded((HEADERS + "00017,王小明,`13912345678,金卡\n").encode(encoding))
    assert found.columns == {"member_no": "会员编号", "name": "姓名", "phone": "手机号码(必填)"}
    (event,) = found.events
    assert event["data"]["account"] == "00017"
    assert event["data"]["name"] == "王小明"
    assert event["data"]["identifiers"][1]["value"] == "13912345678"
    assert event["data"]["extra"] == {"等级": "金卡"}


@pytest.mark.parametrize("written", ["`00017", '"=""00017"""', "00017\t", "'00017"])
def test_what_spreadsheets_put_around_an_id_goes_and_its_zeros_stay(written: str) -> None:
    found = loaded((HEADERS + f"{written},王小明,,\n").encode())
    assert found.events[0]["data"]["account"] == "00017"


def test_an_id_that_a_spreadsheet_turned_into_a_float_is_refused_by_its_row() -> None:
    rows = "00017,甲,,\n4.83E+18,乙,,\n00019,丙,,\n"
    found = loaded((HEADERS + rows).encode())
    assert (found.rows, found.taken) == (3, 2)
    (fault,) = found.faults
    assert (fault.row, fault.column) == (3, "会员编号")
    assert "digits are lost" in fault.reason


def test_an_xlsx_keeps_ids_as_text_and_refuses_a_number_that_lost_digits() -> None:
    rows = (["会员编号", "姓名"], ["00017", "甲"], [18, "乙"], [4837328765348566675, "丙"])
    found = loaded(workbook(["会员导出"], *rows))
    assert [event["data"]["account"] for event in found.events] == ["00017", "18"]
    assert [fault.row for fault in found.faults] == [5]


def test_control_totals_are_of_the_rows_that_are_taken() -> None:
    rows = "会员号,可用积分\n1001,120\n1002,30\n1003,many\n1001,5\n"
    found = loaded(rows.encode("gb18030"), "points")
    assert (found.rows, found.taken, found.total) == (4, 2, Decimal(150))
    assert [fault.row for fault in found.faults] == [4, 5]
    assert "row 2 is of the same" in found.faults[1].reason


def test_a_file_that_is_loaded_again_has_the_same_ids() -> None:
    rows = "商品编码,仓库,库存数量\ncake-6,w1,7\nnuts,w1,0.5\n".encode()
    first, second = (loaded(rows, "stock", "erp_stock").events for _ in range(2))
    assert first == second
    assert [event["data"]["quantity"] for event in first] == ["7", "0.5"]
    assert first[0]["time"] == "2026-03-01T00:00:00+08:00"


def test_a_formula_in_a_cell_is_only_text() -> None:
    found = loaded((HEADERS + "00017,\"=cmd|'/c calc'!A1\",,\n").encode())
    assert found.events[0]["data"]["name"].startswith("=cmd|")


def test_a_column_that_is_needed_and_missing_is_named() -> None:
    with pytest.raises(BadDocument, match="no column for 'member_no': one of 会员编号"):
        loaded("名字,电话\n甲,1\n".encode())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no row of headers"),
        (b"\x00\x01\x02", "neither"),
        (b"\xff\xff\xff\xff", "neither"),
        (b"PK\x03\x04nothing", "no XLSX"),
        ("会员编号,会员编号\n1,2\n".encode(), "stands twice"),
        (b"a," * 300, "columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(TableUnreadable, match=why):
        tables.read(data)


def test_a_table_has_at_most_so_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_MAX", 2)
    assert len(tables.read(b"a,b\n1,2\n3,4\n").rows) == 2
    with pytest.raises(TableUnreadable, match="at most 2 rows"):
        tables.read(b"a,b\n1,2\n3,4\n5,6\n")
