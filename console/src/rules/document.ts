// A rule's document: YAML text is the truth, and what forms and canvas show is read from it. A change
// is written into the text where it differs, so that comments and order stay.
import { isMap, isScalar, isSeq, parseDocument, type Document, type Node } from "yaml";

export interface Condition {
  field?: string | null;
  op?: string | null;
  value?: unknown;
  type?: string;
  cel?: string | null;
  all?: Condition[] | null;
  any?: Condition[] | null;
  not?: Condition | null;
}
export interface Lookup {
  table: string;
  key: string;
  otherwise?: unknown;
}
export interface Field {
  target: string;
  from?: string;
  constant?: unknown;
  computed?: string;
  lookup?: Lookup;
  template?: string;
  type?: string;
  source?: string;
  output?: string;
  mode?: string;
  zone?: string;
  phone?: string;
  items?: Field[];
  required?: boolean;
  on_missing?: string;
  on_null?: string;
  default?: unknown;
}
export interface Action {
  do: string;
  id: string;
  to?: string;
  with?: Field[];
  seconds?: number | null;
}
export interface Branch {
  name: string;
  when?: Condition[];
  actions: Action[];
}
export interface Trigger {
  events?: string[];
  channels?: string[];
  schedule?: { every: string; segment: string; at?: string } | null;
}
export interface Rule {
  rule: string;
  title?: string;
  description?: string;
  trigger: Trigger;
  when?: Condition[];
  map?: Field[];
  actions?: Action[];
  branches?: Branch[];
  on_error?: { retries?: number; then?: string };
  order_key?: string;
  [other: string]: unknown;
}

/** The rule in a text; null where the text is none: then only the text can be changed. */
export function read(text: string): Rule | null {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) return null;
  const found: unknown = document.toJS();
  return isShaped(found) ? found : null;
}

// Forms and canvas go through these lists: where one holds anything else, only the text is shown.
function isShaped(found: unknown): found is Rule {
  if (!isObject(found) || !isObject(found.trigger)) return false;
  const lists = ["when", "map", "actions", "branches"].map((name) => found[name] ?? []);
  if (!lists.every((list) => Array.isArray(list) && list.every(isObject))) return false;
  return (lists[3] as Record<string, unknown>[]).every(
    (branch) => [branch.actions ?? [], branch.when ?? []].every((list) => Array.isArray(list) && list.every(isObject)),
  );
}

/** The text that says this rule: what is the same stays as it is written. */
export function write(before: string, rule: Rule): string {
  const document = parseDocument(before);
  const wanted = plain(rule);
  if (document.errors.length > 0 || document.contents === null) document.contents = document.createNode(wanted) as never;
  else document.contents = mended(document, document.contents as Node, wanted) as never;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Without what is undefined, and without empty lists that say nothing. */
function plain(rule: Rule): Rule {
  const copy = JSON.parse(JSON.stringify(rule)) as Rule;
  for (const name of ["when", "map", "actions", "branches"] as const) {
    if (copy[name]?.length === 0) delete copy[name];
  }
  return copy;
}

function mended(document: Document, node: Node, wanted: unknown): Node {
  if (isSame(document, node, wanted)) return node;
  if (isMap(node) && isObject(wanted)) {
    for (const pair of [...node.items]) {
      const name = keyOf(pair.key);
      if (!(name in wanted)) node.delete(pair.key);
    }
    for (const [name, value] of Object.entries(wanted)) {
      const inner = node.get(name, true) as Node | undefined;
      node.set(name, inner ? mended(document, inner, value) : document.createNode(value));
    }
    return node;
  }
  if (isSeq(node) && Array.isArray(wanted)) {
    node.items = merged(document, node.items as Node[], wanted);
    return node;
  }
  return document.createNode(wanted) as Node;
}

/** Items that are the same keep what is written of them, wherever they stand now. */
function merged(document: Document, before: Node[], wanted: unknown[]): Node[] {
  const kept = wanted.map((value) => before.find((node) => isSame(document, node, value)));
  const free = before.filter((node) => !kept.includes(node));
  const isOneChanged = before.length === wanted.length;
  return wanted.map((value, index) => {
    const same = kept[index];
    if (same && kept.indexOf(same) === index) return same;
    const old = isOneChanged ? before[index] : undefined;
    if (old && free.includes(old)) return mended(document, old, value);
    return document.createNode(value) as Node;
  });
}

function isSame(document: Document, node: Node, wanted: unknown): boolean {
  const said: unknown = isScalar(node) ? node.value : node.toJS(document);
  return JSON.stringify(said) === JSON.stringify(wanted);
}

function keyOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
