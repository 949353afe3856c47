"""The data dictionary: every mart and column in words, and where each column comes from.

`python -m hub_assets.dictionary` writes `docs/data-dictionary.md`; a test keeps it current.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hub import settings
from hub_assets import lineage, project
from hub_assets.lineage import Lineage

PAGE = Path(__file__).resolve().parents[1] / "docs" / "data-dictionary.md"
HEAD = """# Data dictionary / 数据字典

The marts of the hub: schema `marts`, read by the roles `hub_analyst` (personal columns masked)
and `hub_reader`. What is shown was checked as a whole; `marts.builds` tells which build it is, and
`select marts.as_of('2026-11-01 08:00+08')` shows a session a past one. Amounts are integer minor
units of their currency, quantities have three decimals, `*_at` is UTC, `*_date` a date in the
business's zone. Facts keep `profile_id`; join `member_identities` to get the member.
"From" names the columns of the hub that a column is computed from.

中台的数据集市（schema `marts`）。分析师使用角色 `hub_analyst`（个人信息已脱敏）。
每次构建整体通过检查后才会发布：`marts.builds` 说明当前版本，`select marts.as_of(时间)` 可查看
过去的版本。金额为币种最小单位的整数，数量保留三位小数，`*_at` 为 UTC 时间，
`*_date` 为营业时区日期。事实表只含 `profile_id`，与 `member_identities` 关联即可得到会员。

This page is made by `python -m hub_assets.dictionary` from `dbt_project`.
"""


def page(manifest: Mapping[str, Any], found: Lineage) -> str:
    """The page in Markdown."""
    marts = sorted(
        (
            node
            for node in manifest["nodes"].values()
            if node["resource_type"] == "model" and node["schema"] == "marts"
        ),
        key=lambda node: (node["config"]["group"], node["name"]),
    )
    parts = [HEAD, _contents(marts)]
    for mart in marts:
        parts.append("\n".join(_mart(manifest, mart, found)))
    return "\n".join(parts)


def _contents(marts: list[Mapping[str, Any]]) -> str:
    lines = ["| mart | subject | one row per |", "|---|---|---|"]
    for mart in marts:
        first_sentence = mart["description"].partition(". ")[0].rstrip(".")
        grain = first_sentence.partition("One row per ")[2]
        lines.append(f"| [{mart['name']}](#{mart['name']}) | {mart['config']['group']} | {grain} |")
    return "\n".join(lines) + "\n"


def _mart(manifest: Mapping[str, Any], mart: Mapping[str, Any], found: Lineage) -> Iterator[str]:
    yield f"## {mart['name']}\n"
    yield mart["description"] + "\n"
    yield mart["config"]["meta"]["description_zh"] + "\n"
    key = next(one["columns"] for one in mart["constraints"] if one["type"] == "primary_key")
    yield f"Key: {', '.join(f'`{column}`' for column in key)}. Checks: {_checks(manifest, mart)}.\n"
    yield "| column | type | meaning | 说明 | from |"
    yield "|---|---|---|---|---|"
    for name, column in mart["columns"].items():
        origins = lineage.origins(found, (f"marts.{mart['name']}", name))
        cells = (
            f"`{name}`",
            column["data_type"],
            column["description"],
            column["config"]["meta"]["description_zh"],
            "<br>".join(f"`{relation}.{origin}`" for relation, origin in sorted(origins))
            or "count",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _checks(manifest: Mapping[str, Any], mart: Mapping[str, Any]) -> str:
    """The mart's tests that promise something of the business; keys and types go without saying."""
    names = sorted(
        test["name"]
        for identity in manifest["child_map"][mart["unique_id"]]
        if (test := manifest["nodes"].get(identity, {})).get("resource_type") == "test"
        and not test["name"].startswith(("unique_", "relationships_", "accepted_values_"))
    )
    return ", ".join(names) or "those of its columns"


def main() -> int:
    """Write the page."""
    parsed = project.prepare(settings.load())
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(parsed.manifest(), parsed.lineage()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
