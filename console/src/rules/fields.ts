// The fields of a real event, and which conversion fits what stands there.
import type { FieldPart } from "./asking";
import { isObject, type Field } from "./document";

export interface SourceField {
  path: string;
  kind: string;
  value: unknown;
  isPersonal: boolean;
}

const DECIMAL = /^-?\d+(\.\d{1,4})?$/;
const MOMENT = /^\d{4}-\d\d-\d\dT/;
const QUANTITY = /(quantity|count|on_hand|available)$/;
const ZONE = "Asia/Shanghai";

/** What the sample has first, then what such events may have besides. */
export function sourceFields(fact: unknown, known: FieldPart[]): SourceField[] {
  const personal = new Set(known.filter((one) => one.is_personal).map((one) => one.path));
  const kinds = new Map(known.map((one) => [one.path, one.kind]));
  const found: SourceField[] = [];
  walk(fact, "", (path, value) =>
    found.push({ path, value, kind: kinds.get(path) ?? kindOf(value), isPersonal: personal.has(path) }),
  );
  const there = new Set(found.map((one) => one.path));
  const others = known
    .filter((one) => !there.has(one.path))
    .map((one) => ({ path: one.path, kind: one.kind, value: undefined, isPersonal: one.is_personal }));
  return [...found, ...others];
}

function walk(value: unknown, path: string, tell: (path: string, value: unknown) => void): void {
  if (Array.isArray(value)) {
    tell(path, value);
    if (value.length > 0) walk(value[0], `${path}[0]`, tell);
  } else if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) walk(inner, path ? `${path}.${name}` : name, tell);
  } else if (path) tell(path, value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "list";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return "integer";
  if (typeof value === "string" && MOMENT.test(value)) return "time";
  return typeof value === "string" && DECIMAL.test(value) && value.includes(".") ? "decimal" : "text";
}

/** The types that such a field can be told as, the likeliest first. */
export function fittingTypes(source: SourceField): string[] {
  if (source.kind === "list") return ["list"];
  if (source.kind === "decimal") return QUANTITY.test(source.path) ? ["quantity", "money", "text"] : ["money", "quantity", "text"];
  if (source.kind === "time") return ["time", "text"];
  if (source.kind === "integer") return ["integer", "text"];
  if (source.kind === "boolean") return ["boolean", "text"];
  if (/phone$/.test(source.path)) return ["phone", "text"];
  if (/(account|member)$/.test(source.path)) return ["member", "text"];
  return ["text", "member", "phone", "integer", "boolean", "time", "money", "quantity"];
}

/** A field told from this one, by its likeliest type. */
export function mappedFrom(source: SourceField, target: string): Field {
  return withType({ target, from: source.path }, fittingTypes(source)[0] ?? "text", source);
}

/** The same field as another type, with what that type needs. */
export function withType(field: Field, type: string, source?: SourceField): Field {
  const { type: _type, zone: _zone, mode: _mode, source: _source, output: _output, phone: _phone, items: _items, ...rest } = field;
  if (type === "text") return rest;
  if (type === "time") return { ...rest, type, zone: ZONE };
  if (type === "quantity") return { ...rest, type, mode: "absolute" };
  if (type === "list") return { ...rest, type, items: itemsOf(source?.value) };
  return { ...rest, type };
}

function itemsOf(list: unknown): Field[] {
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  if (!isObject(first)) return [{ target: "value", from: "item" }];
  return Object.entries(first)
    .filter(([, value]) => !isObject(value) && !Array.isArray(value))
    .map(([name, value]) => mappedFrom({ path: `item.${name}`, kind: kindOf2(name, value), value, isPersonal: false }, name));
}

function kindOf2(name: string, value: unknown): string {
  return QUANTITY.test(name) ? "decimal" : kindOf(value);
}

/** A name for the target: the last word of the path. */
export function targetName(path: string): string {
  return path.replace(/\[\d+\]/g, "").split(".").at(-1) ?? "field";
}
