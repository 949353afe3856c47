// Field mapping: fields of a real event on the left, what is told on the right. Drag one onto the
// other, or pick it from the list; the conversion that fits is offered.
import { AutoComplete, Button, Input, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Parts } from "./asking";
import type { Action, Field, Rule } from "./document";
import { fittingTypes, mappedFrom, targetName, withType, type SourceField } from "./fields";
import { newId } from "./graph";
import { Labelled } from "./Labelled";

const DRAGGED = "application/x-rule-field";
const SOURCES = ["from", "constant", "computed", "template", "lookup"] as const;
const MISSING = ["fail", "skip", "default"];

interface Given {
  rule: Rule;
  onChange: (rule: Rule, stroke?: string) => void;
  sources: SourceField[];
  parts: Parts | undefined;
  canWrite: boolean;
}

/** Which list of fields: the rule's own, or what one action is given. */
function listsOf(rule: Rule): { id: string; action: Action | null; fields: Field[] }[] {
  const actions = [...(rule.actions ?? []), ...(rule.branches ?? []).flatMap((branch) => branch.actions ?? [])];
  return [
    { id: "map", action: null, fields: rule.map ?? [] },
    ...actions.filter((one) => one.do !== "wait").map((action, index) => ({ id: `${index}`, action, fields: action.with ?? [] })),
  ];
}

export function Mapping({ rule, onChange, sources, parts, canWrite }: Given) {
  const { t } = useTranslation();
  const [chosen, choose] = useState("map");
  const lists = listsOf(rule);
  const list = lists.find((one) => one.id === chosen) ?? lists[0]!;
  const part = parts?.actions.find((one) => one.do === list.action?.do);
  const known = [...(part?.needs ?? []), ...(part?.accepts ?? [])];
  const unfilled = known.filter((name) => !list.fields.some((field) => field.target === name));

  function put(fields: Field[], stroke?: string) {
    const next = structuredClone(rule);
    const same = listsOf(next).find((one) => one.id === list.id);
    if (!same) return;
    if (same.action === null) next.map = fields;
    else if (fields.length > 0) same.action.with = fields;
    else delete same.action.with;
    onChange(next, stroke);
  }
  function fill(path: string, target: string | null) {
    const source = sources.find((one) => one.path === path);
    if (!source) return;
    const index = list.fields.findIndex((field) => field.target === target);
    const taken = list.fields.map((field) => field.target);
    if (index >= 0) put(list.fields.with(index, mappedFrom(source, target!)));
    else put([...list.fields, mappedFrom(source, target ?? newId(taken, targetName(path)).replaceAll("-", "_"))]);
  }
  const dropping = (target: string | null) => ({
    onDragOver: (event: React.DragEvent) => event.preventDefault(),
    onDrop: (event: React.DragEvent) => {
      event.preventDefault();
      fill(event.dataTransfer.getData(DRAGGED), target);
    },
  });
  return (
    <div className="stack">
      <Labelled words={t("rule.mapWhose")}>
        {(label) => (
          <Select
            aria-label={label}
            onChange={choose}
            options={lists.map((one) => ({
              value: one.id,
              label: one.action ? t("rule.mapOf", { id: one.action.id }) : t("rule.mapShared"),
            }))}
            value={list.id}
          />
        )}
      </Labelled>
      {list.action && list.fields.length === 0 && <span className="soft">{t("rule.mapInherited")}</span>}
      <div className="mapping">
        <div>
          <h3>{t("rule.sourceFields")}</h3>
          <ul aria-label={t("rule.sourceFields")} className="sources">
            {sources.map((one) => (
              <li
                className={one.value === undefined ? "source soft" : "source"}
                draggable={canWrite}
                key={one.path}
                onDragStart={(event) => event.dataTransfer.setData(DRAGGED, one.path)}
              >
                <span className="mono">{one.path}</span>
                <span className="soft sample">{one.isPersonal ? t("rule.personal") : shown(one.value)}</span>
              </li>
            ))}
          </ul>
          {sources.length === 0 && <p className="soft">{t("rule.noSource")}</p>}
        </div>
        <div>
          <h3>{t("rule.targetFields")}</h3>
          {list.fields.map((field, index) => (
            <div className="target" key={index} {...dropping(field.target)}>
              <FieldForm
                field={field}
                onChange={(next) => put(list.fields.with(index, next), `map ${list.id} ${index}`)}
                onRemove={() => put(list.fields.toSpliced(index, 1))}
                sources={sources}
                targets={known}
              />
            </div>
          ))}
          {canWrite &&
            unfilled.map((name) => (
              <div className="target slot" key={name} {...dropping(name)}>
                <span className="mono">{name}</span> {part?.needs.includes(name) && <Tag color="red">{t("rule.needed")}</Tag>}
                <Pick label={t("rule.pickFor", { name })} onPick={(path) => fill(path, name)} sources={sources} />
              </div>
            ))}
          {canWrite && (part?.accepts ?? null) === null && (
            <div className="target slot" {...dropping(null)}>
              <span className="soft">{t("rule.dropHere")}</span>
              <Pick label={t("rule.pickNew")} onPick={(path) => fill(path, null)} sources={sources} />
            </div>
          )}
        </div>
      </div>
    </div>
  );
}

function Pick({ label, sources, onPick }: { label: string; sources: SourceField[]; onPick: (path: string) => void }) {
  return (
    <Select
      aria-label={label}
      onChange={onPick}
      options={sources.map((one) => ({ value: one.path, label: one.path }))}
      placeholder={label}
      showSearch
      style={{ width: "100%" }}
      value={null}
    />
  );
}

interface FieldGiven {
  field: Field;
  onChange: (field: Field) => void;
  onRemove: () => void;
  sources: SourceField[];
  targets: string[];
}

function FieldForm({ field, onChange, onRemove, sources, targets }: FieldGiven) {
  const { t } = useTranslation();
  const source = sources.find((one) => one.path === field.from);
  const kind = SOURCES.find((name) => field[name] !== undefined) ?? "from";
  const fitting = source ? fittingTypes(source) : ["text"];
  const others = ["text", "money", "quantity", "time", "phone", "member", "integer", "boolean", "list"].filter((one) => !fitting.includes(one));
  const name = field.target;
  function changeKind(next: (typeof SOURCES)[number]) {
    const { from: _from, constant: _constant, computed: _computed, lookup: _lookup, template: _template, ...rest } = field;
    const begun = next === "lookup" ? { table: "", key: field.from ?? "" } : next === "computed" ? "true" : (field.from ?? "");
    onChange({ ...rest, [next]: begun });
  }
  return (
    <div className="field-form">
      <AutoComplete
        aria-label={t("rule.target")}
        onChange={(target: string) => onChange({ ...field, target })}
        options={targets.map((value) => ({ value }))}
        value={name}
      />
      <Select
        aria-label={t("rule.sourceKind", { name })}
        onChange={changeKind}
        options={SOURCES.map((value) => ({ value, label: t(`rule.source.${value}`) }))}
        value={kind}
      />
      {kind === "from" && (
        <AutoComplete
          aria-label={t("rule.sourceOf", { name })}
          onChange={(from: string) => onChange({ ...field, from })}
          options={sources.map((one) => ({ value: one.path }))}
          showSearch={{ filterOption: true }}
          value={field.from ?? ""}
        />
      )}
      {(kind === "constant" || kind === "computed" || kind === "template") && (
        <Input
          aria-label={t("rule.sourceOf", { name })}
          onChange={(event) => onChange({ ...field, [kind]: event.target.value })}
          value={String(field[kind] ?? "")}
        />
      )}
      {kind === "lookup" &&
        (["table", "key"] as const).map((part) => (
          <Input
            aria-label={t(`rule.lookup.${part}`)}
            key={part}
            onChange={(event) => onChange({ ...field, lookup: { table: "", key: "", ...field.lookup, [part]: event.target.value } })}
            placeholder={t(`rule.lookup.${part}`)}
            value={field.lookup?.[part] ?? ""}
          />
        ))}
      <Select
        aria-label={t("rule.convert", { name })}
        onChange={(type: string) => onChange(withType(field, type, source))}
        options={[
          { label: t("rule.fits"), options: fitting.map((value) => ({ value, label: t(`rule.type.${value}`) })) },
          { label: t("rule.others"), options: others.map((value) => ({ value, label: t(`rule.type.${value}`) })) },
        ]}
        value={field.type ?? "text"}
      />
      <Conversion field={field} onChange={onChange} />
      <Select
        aria-label={t("rule.onMissing", { name })}
        onChange={(on_missing: string) => {
          const { on_missing: _before, ...rest } = field;
          onChange(on_missing === "fail" ? rest : { ...rest, on_missing });
        }}
        options={MISSING.map((value) => ({ value, label: t(`rule.missing.${value}`) }))}
        value={field.on_missing ?? "fail"}
      />
      <Button aria-label={t("rule.removeField", { name })} onClick={onRemove}>
        {t("rule.remove")}
      </Button>
    </div>
  );
}

/** What else a conversion needs to know. */
function Conversion({ field, onChange }: { field: Field; onChange: (field: Field) => void }) {
  const { t } = useTranslation();
  const choice = (name: "source" | "output" | "mode" | "phone", values: string[], otherwise: string) => (
    <Select
      aria-label={t(`rule.conversion.${name}`)}
      key={name}
      onChange={(value: string) => onChange({ ...field, [name]: value })}
      options={values.map((value) => ({ value, label: t(`rule.as.${value}`) }))}
      value={field[name] ?? otherwise}
    />
  );
  if (field.type === "money") return <>{choice("source", ["decimal", "minor"], "decimal")}{choice("output", ["decimal", "minor"], "decimal")}</>;
  if (field.type === "quantity") return choice("mode", ["absolute", "delta"], "absolute");
  if (field.type === "phone") return choice("phone", ["e164", "national"], "e164");
  if (field.type === "time") {
    return (
      <Input
        aria-label={t("rule.conversion.zone")}
        onChange={(event) => onChange({ ...field, zone: event.target.value })}
        value={field.zone ?? "UTC"}
      />
    );
  }
  if (field.type === "list") {
    return <span className="soft mono">{(field.items ?? []).map((one) => one.target).join(", ")}</span>;
  }
  return null;
}

function shown(value: unknown): string {
  if (value === undefined) return "";
  return Array.isArray(value) ? `[${value.length}]` : JSON.stringify(value);
}
