"""Which column comes from which: read from the models' SQL, without a database.

Models are rendered with dbt's functions replaced by plain names, then followed by sqlglot. Not
here: the page that shows it (`hub_assets.dictionary`).
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import jinja2
from sqlglot import exp, parse_one
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer import build_scope
from sqlglot.optimizer.qualify import qualify

from hub_assets import dbt

DIALECT = "postgres"
Column = tuple[str, str]
"""(relation such as "staging.stg_hub__orders", column)"""
Lineage = dict[str, dict[str, list[Column]]]
"""relation -> column -> columns it is made from, sorted; empty for what comes from none."""


def read(manifest: Mapping[str, Any]) -> Lineage:
    """The lineage of all models of a parsed project, one step back each."""
    project = _Project(manifest)
    return {model["schema"] + "." + model["name"]: project.trace(model) for model in project.models}


def origins(found: Lineage, column: Column) -> set[Column]:
    """The columns outside of the project that this one comes from in the end."""
    relation, name = column
    if relation not in found:
        return {column}
    parents = found[relation].get(name, [])
    return set().union(*(origins(found, parent) for parent in parents))


class _Project:
    """The models' SQL with plain relation names."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._manifest = manifest
        self.models = sorted(
            (node for node in manifest["nodes"].values() if node["resource_type"] == "model"),
            key=lambda node: (node["schema"], node["name"]),
        )

    def trace(self, model: Mapping[str, Any]) -> dict[str, list[Column]]:
        query = qualify(self._parsed[model["name"]], schema=self._schema, dialect=DIALECT)
        scope = build_scope(query)
        return {
            column: sorted(set(_leaves(lineage(column, query, {}, scope=scope, dialect=DIALECT))))
            for column in model["columns"]
        }

    @cached_property
    def _parsed(self) -> dict[str, exp.Expr]:
        functions = _functions({node["name"]: node["schema"] for node in self.models})
        macros = (dbt.PROJECT_DIR / "macros" / "units.sql").read_text(encoding="utf-8")
        templates = jinja2.Environment(autoescape=False)  # SQL for a parser, not a page
        return {
            node["name"]: _without_laterals(
                parse_one(
                    templates.from_string(macros + node["raw_code"]).render(functions),
                    dialect=DIALECT,
                )
            )
            for node in self.models
        }

    @cached_property
    def _schema(self) -> dict[str, Any]:
        """schema -> relation -> column -> type; types do not matter here."""
        schema: dict[str, Any] = {}
        for node in self.models:
            columns = dict.fromkeys(node["columns"], "text")
            schema.setdefault(node["schema"], {})[node["name"]] = columns
        for node in self._manifest["sources"].values():
            columns = dict.fromkeys(self._used(node), "text")
            schema.setdefault(node["schema"], {})[node["name"]] = columns
        return schema

    def _used(self, source: Mapping[str, Any]) -> list[str]:
        """The columns of a source that its staging model names: all that are of interest."""
        readers = self._manifest["child_map"][source["unique_id"]]
        names = {self._manifest["nodes"][reader]["name"] for reader in readers}
        return sorted(
            {
                column.name
                for name in names & set(self._parsed)
                for column in self._parsed[name].find_all(exp.Column)
                if not isinstance(column.this, exp.Star)
            }
        )


def _functions(schemas: Mapping[str, str]) -> dict[str, Any]:
    """Stand-ins for what dbt gives to a model."""
    return {
        "ref": lambda name: f"{schemas[name]}.{name}",
        "source": lambda schema, name: f"{schema}.{name}",
        "config": lambda **_: "",
        "is_incremental": lambda: False,
        "env_var": lambda _, default: default,
        "var": lambda name: name,
    }


def _without_laterals(query: exp.Expr) -> exp.Expr:
    """Lateral joins as plain ones: what a value is made of, not which rows were chosen."""
    for lateral in list(query.find_all(exp.Lateral)):
        rows = lateral.this.unnest().copy()
        rows.set("where", None)
        _without_functions(rows)
        lateral.replace(exp.Subquery(this=rows, alias=lateral.args["alias"]))
    return query


def _without_functions(rows: exp.Expr) -> None:
    """Rows made by a function from a column are read as that column itself."""
    for table in list(rows.find_all(exp.Table)):
        taken = table.this.find(exp.Column) if isinstance(table.this, exp.Func) else None
        if taken is not None:
            for column in list(rows.find_all(exp.Column)):
                if column.table == table.alias:
                    column.replace(taken.copy())
            table.replace(exp.to_table(taken.table))


def _leaves(node: Node) -> Iterator[Column]:
    for found in node.walk():
        table = found.expression
        if isinstance(table, exp.Table) and table.db and not found.downstream:
            yield f"{table.db}.{table.name}", found.name.rpartition(".")[2].strip('"')
