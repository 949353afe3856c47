// What stands in each part of a rule, as a form.
import { AutoComplete, Button, Input, InputNumber, Select } from "antd";
import { useTranslation } from "react-i18next";
import { useSaid } from "../parts/said";
import type { FieldPart, Parts } from "./asking";
import type { Action, Branch, Condition, Rule, Trigger } from "./document";
import { Labelled } from "./Labelled";
import { isTold } from "./palette";

const OPS = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "not_in", "exists", "starts_with"];
const TYPES = ["text", "money", "quantity", "time"];
const KINDS = ["field", "cel", "all", "any", "not"] as const;
const EVERY = ["hour", "day", "week"];
const NAMES_EVERY_CHANNEL = ["website", "mini-program", "pos", "douyin"];

export interface Known {
  parts: Parts | undefined;
  fields: FieldPart[];
}

function channelsOf(known: Known): string[] {
  return [...new Set([...(known.parts?.receivers ?? []), ...NAMES_EVERY_CHANNEL])];
}

export function TriggerForm({ value, onChange, known }: { value: Trigger; onChange: (value: Trigger) => void; known: Known }) {
  const { t } = useTranslation();
  const said = useSaid();
  const schedule = value.schedule ?? null;
  const channels = channelsOf(known).map((name) => ({ value: name, label: said.channel(name) }));
  return (
    <div className="stack">
      <Labelled words={t("rule.begins")}>
        {(label) => (
          <Select
            aria-label={label}
            onChange={(kind) =>
              onChange(
                kind === "events"
                  ? { events: [], ...(value.channels ? { channels: value.channels } : {}) }
                  : { schedule: { every: "day", at: "10:00", segment: known.parts?.segments[0] ?? "points_at_risk" } },
              )
            }
            options={[
              { value: "events", label: t("rule.byEvents") },
              { value: "schedule", label: t("rule.bySchedule") },
            ]}
            value={schedule ? "schedule" : "events"}
          />
        )}
      </Labelled>
      {schedule ? (
        <>
          <Labelled words={t("rule.every")}>
            {(label) => (
              <Select
                aria-label={label}
                onChange={(every) => onChange({ ...value, schedule: { ...schedule, every } })}
                options={EVERY.map((name) => ({ value: name, label: t(`rule.each.${name}`) }))}
                value={schedule.every}
              />
            )}
          </Labelled>
          <Labelled words={t("rule.at")}>
            {(label) => (
              <Input
                aria-label={label}
                onChange={(event) => onChange({ ...value, schedule: { ...schedule, at: event.target.value } })}
                value={schedule.at}
              />
            )}
          </Labelled>
          <Labelled words={t("rule.segment")}>
            {(label) => (
              <Select
                aria-label={label}
                onChange={(segment) => onChange({ ...value, schedule: { ...schedule, segment } })}
                options={(known.parts?.segments ?? []).map((name) => ({ value: name, label: name }))}
                value={schedule.segment}
              />
            )}
          </Labelled>
        </>
      ) : (
        <Labelled words={t("rule.events")}>
          {(label) => (
            <Select
              aria-label={label}
              mode="multiple"
              onChange={(events) => onChange({ ...value, events })}
              optionFilterProp="label"
              options={(known.parts?.events ?? []).map((name) => ({ value: name, label: `${said.event(name)} ${name}` }))}
              value={value.events ?? []}
            />
          )}
        </Labelled>
      )}
      <Labelled words={t("rule.channels")}>
        {(label) => (
          <Select
            aria-label={label}
            mode="tags"
            onChange={(chosen: string[]) => {
              const { channels: _before, ...rest } = value;
              onChange(chosen.length > 0 ? { ...rest, channels: chosen } : rest);
            }}
            options={channels}
            placeholder={t("rule.allChannels")}
            value={value.channels ?? []}
          />
        )}
      </Labelled>
    </div>
  );
}

function kindOf(value: Condition): (typeof KINDS)[number] {
  return KINDS.find((kind) => value[kind] !== undefined && value[kind] !== null) ?? "field";
}

export function newCondition(kind: (typeof KINDS)[number] = "field"): Condition {
  if (kind === "cel") return { cel: "true" };
  if (kind === "all" || kind === "any") return { [kind]: [newCondition()] };
  if (kind === "not") return { not: newCondition() };
  return { field: "event.channel", op: "eq", value: "website" };
}

export function ConditionForm({ value, onChange, known }: { value: Condition; onChange: (value: Condition) => void; known: Known }) {
  const { t } = useTranslation();
  const kind = kindOf(value);
  const many = kind === "all" || kind === "any" ? (value[kind] ?? []) : [];
  return (
    <div className="stack">
      <Select
        aria-label={t("rule.conditionKind")}
        onChange={(next) => onChange(newCondition(next))}
        options={KINDS.map((name) => ({ value: name, label: t(`rule.condition.${name}`) }))}
        value={kind}
      />
      {kind === "cel" && (
        <Input.TextArea
          aria-label={t("rule.condition.cel")}
          autoSize={{ minRows: 2 }}
          className="mono"
          onChange={(event) => onChange({ cel: event.target.value })}
          value={value.cel ?? ""}
        />
      )}
      {kind === "field" && <Comparison known={known} onChange={onChange} value={value} />}
      {kind === "not" && value.not && (
        <div className="nested">
          <ConditionForm known={known} onChange={(not) => onChange({ not })} value={value.not} />
        </div>
      )}
      {(kind === "all" || kind === "any") && (
        <ConditionList known={known} onChange={(next) => onChange({ [kind]: next })} value={many} />
      )}
    </div>
  );
}

export function ConditionList({ value, onChange, known }: { value: Condition[]; onChange: (value: Condition[]) => void; known: Known }) {
  const { t } = useTranslation();
  return (
    <div className="stack">
      {value.map((one, index) => (
        <div className="nested" key={index}>
          <ConditionForm known={known} onChange={(next) => onChange(value.with(index, next))} value={one} />
          <Button onClick={() => onChange(value.toSpliced(index, 1))} size="small">
            {t("rule.remove")}
          </Button>
        </div>
      ))}
      <Button onClick={() => onChange([...value, newCondition()])} size="small">
        {t("rule.addCondition")}
      </Button>
    </div>
  );
}

function Comparison({ value, onChange, known }: { value: Condition; onChange: (value: Condition) => void; known: Known }) {
  const { t } = useTranslation();
  const kind = known.fields.find((one) => one.path === value.field)?.kind;
  const isMany = value.op === "in" || value.op === "not_in";
  function changeOp(op: string) {
    const { value: before, ...rest } = { ...value, op };
    if (op === "exists") return onChange(rest);
    const list = Array.isArray(before) ? before : before === undefined ? [] : [before];
    onChange({ ...rest, value: op === "in" || op === "not_in" ? list : (list[0] ?? "") });
  }
  return (
    <>
      <Labelled words={t("rule.field")}>
        {(label) => (
          <AutoComplete
            aria-label={label}
            onChange={(field: string) => onChange({ ...value, field })}
            options={known.fields.map((one) => ({ value: one.path }))}
            showSearch={{ filterOption: true }}
            value={value.field ?? ""}
          />
        )}
      </Labelled>
      <Select
        aria-label={t("rule.comparison")}
        onChange={changeOp}
        options={OPS.map((op) => ({ value: op, label: t(`rule.op.${op}`) }))}
        value={value.op ?? "eq"}
      />
      {value.op !== "exists" && (
        <Labelled words={t("rule.value")}>
          {(label) =>
            isMany ? (
              <Select
                aria-label={label}
                mode="tags"
                onChange={(chosen: string[]) => onChange({ ...value, value: chosen.map((one) => typed(one, kind)) })}
                value={(Array.isArray(value.value) ? value.value : []).map(String)}
              />
            ) : (
              <Input
                aria-label={label}
                onChange={(event) => onChange({ ...value, value: typed(event.target.value, kind) })}
                value={String(value.value ?? "")}
              />
            )
          }
        </Labelled>
      )}
      <Labelled words={t("rule.comparedAs")}>
        {(label) => (
          <Select
            aria-label={label}
            onChange={(type) => {
              const { type: _before, ...rest } = value;
              onChange(type === "text" ? rest : { ...rest, type });
            }}
            options={TYPES.map((type) => ({ value: type, label: t(`rule.type.${type}`) }))}
            value={value.type ?? "text"}
          />
        )}
      </Labelled>
    </>
  );
}

function typed(text: string, kind: string | undefined): unknown {
  if (kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  return kind === "integer" && /^-?(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}

export function ActionForm({ value, onChange, known }: { value: Action; onChange: (value: Action) => void; known: Known }) {
  const { t } = useTranslation();
  const said = useSaid();
  const part = known.parts?.actions.find((one) => one.do === value.do);
  return (
    <div className="stack">
      <Labelled words={t("rule.doing")}>
        {(label) => (
          <Select
            aria-label={label}
            onChange={(next) => onChange({ ...value, do: next })}
            options={(known.parts?.actions ?? []).map((one) => ({ value: one.do, label: t(`rule.do.${one.do}`) }))}
            value={value.do}
          />
        )}
      </Labelled>
      <Labelled words={t("rule.actionId")}>
        {(label) => <Input aria-label={label} maxLength={64} onChange={(event) => onChange({ ...value, id: event.target.value })} value={value.id} />}
      </Labelled>
      {part?.needs_to !== false && (
        <Labelled words={t("rule.to")}>
          {(label) => (
            <AutoComplete
              aria-label={label}
              onChange={(to: string) => onChange({ ...value, to })}
              options={isTold(value.do) ? channelsOf(known).map((name) => ({ value: name, label: `${said.channel(name)} ${name}` })) : []}
              value={value.to ?? ""}
            />
          )}
        </Labelled>
      )}
      {value.do === "wait" && (
        <Labelled words={t("rule.waitSeconds")}>
          {(label) => (
            <InputNumber aria-label={label} max={2_592_000} min={1} onChange={(seconds) => onChange({ ...value, seconds })} value={value.seconds} />
          )}
        </Labelled>
      )}
    </div>
  );
}

export function BranchForm({ value, onChange, known }: { value: Branch; onChange: (value: Branch) => void; known: Known }) {
  const { t } = useTranslation();
  return (
    <div className="stack">
      <Labelled words={t("rule.branchName")}>
        {(label) => <Input aria-label={label} maxLength={64} onChange={(event) => onChange({ ...value, name: event.target.value })} value={value.name} />}
      </Labelled>
      <span className="soft">{t("rule.branchWhen")}</span>
      <ConditionList
        known={known}
        onChange={(when) => {
          const { when: _before, ...rest } = value;
          onChange(when.length > 0 ? { ...rest, when } : rest);
        }}
        value={value.when ?? []}
      />
    </div>
  );
}

export function GeneralForm({ rule, onChange }: { rule: Rule; onChange: (rule: Rule) => void }) {
  const { t } = useTranslation();
  const error = rule.on_error ?? {};
  const said = (name: "title" | "description" | "order_key", text: string) => {
    const { [name]: _before, ...rest } = rule;
    onChange((text ? { ...rule, [name]: text } : rest) as Rule);
  };
  return (
    <div className="stack">
      {(["title", "description", "order_key"] as const).map((name) => (
        <Labelled key={name} words={t(`rule.general.${name}`)}>
          {(label) => <Input aria-label={label} onChange={(event) => said(name, event.target.value)} value={rule[name] ?? ""} />}
        </Labelled>
      ))}
      <Labelled words={t("rule.retries")}>
        {(label) => (
          <InputNumber
            aria-label={label}
            max={20}
            min={0}
            onChange={(retries) => onChange({ ...rule, on_error: { ...error, retries: retries ?? 5 } })}
            value={error.retries ?? 5}
          />
        )}
      </Labelled>
      <Labelled words={t("rule.then")}>
        {(label) => (
          <Select
            aria-label={label}
            onChange={(then) => onChange({ ...rule, on_error: { ...error, then } })}
            options={["case", "keep", "pause"].map((name) => ({ value: name, label: t(`rule.onError.${name}`) }))}
            value={error.then ?? "case"}
          />
        )}
      </Labelled>
    </div>
  );
}
