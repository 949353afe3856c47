// A rule as a graph: trigger, conditions in a row, then actions and branches. The graph is a view of
// the document; what is not connected yet is loose, and stands in no document.
import type { Action, Branch, Condition, Rule } from "./document";

export type Piece =
  | { kind: "condition"; value: Condition }
  | { kind: "action"; value: Action }
  | { kind: "branch"; value: Branch };
export interface Loose {
  id: string;
  piece: Piece;
}
export interface Place {
  x: number;
  y: number;
}
/** path: where it stands in the document, null if it is loose. after: what it is connected to. */
export interface GraphNode {
  id: string;
  kind: Piece["kind"] | "trigger";
  value: unknown;
  path: string | null;
  after: string | null;
}

export const TRIGGER = "trigger";
const COLUMN = 250;
const ROW = 124;

export function nodesOf(rule: Rule, loose: Loose[]): GraphNode[] {
  const found: GraphNode[] = [{ id: TRIGGER, kind: "trigger", value: rule.trigger, path: "$.trigger", after: null }];
  const taken = new Set([TRIGGER]);
  function add(wanted: string, node: Omit<GraphNode, "id">): string {
    let id = wanted;
    while (taken.has(id)) id += "~";
    taken.add(id);
    found.push({ ...node, id });
    return id;
  }
  let last = TRIGGER;
  (rule.when ?? []).forEach((value, index) => {
    last = add(`when.${index}`, { kind: "condition", value, path: `$.when[${index}]`, after: last });
  });
  function addActions(actions: Action[], path: string, from: string) {
    let before = from;
    actions.forEach((value, index) => {
      before = add(`action.${value.id}`, { kind: "action", value, path: `${path}[${index}]`, after: before });
    });
  }
  addActions(rule.actions ?? [], "$.actions", last);
  (rule.branches ?? []).forEach((value, index) => {
    const path = `$.branches[${index}]`;
    const id = add(`branch.${value.name}`, { kind: "branch", value, path, after: last });
    addActions(value.actions ?? [], `${path}.actions`, id);
  });
  for (const one of loose) add(one.id, { kind: one.piece.kind, value: one.piece.value, path: null, after: null });
  return found;
}

/** Where each node stands if nobody moved it: down by steps, and a column for each way. */
export function laidOut(nodes: GraphNode[]): Record<string, Place> {
  const places: Record<string, Place> = { [TRIGGER]: { x: 0, y: 0 } };
  const children = (id: string) => nodes.filter((node) => node.after === id);
  function lay(id: string, column: number, row: number): number {
    const inner = children(id);
    let next = column;
    for (const child of inner) next = lay(child.id, next, row + 1);
    const width = Math.max(1, next - column);
    places[id] = { x: (column + (width - 1) / 2) * COLUMN, y: row * ROW };
    return column + width;
  }
  const width = lay(TRIGGER, 0, 0);
  nodes.filter((node) => node.path === null).forEach((node, index) => {
    places[node.id] = { x: width * COLUMN, y: index * ROW };
  });
  return places;
}

interface Held {
  rule: Rule;
  loose: Loose[];
}

/** Connect `target` after `source`: it moves there from wherever it stood. Null if it cannot. */
export function connected(held: Held, source: string, target: string): Held | null {
  if (source === target || target === TRIGGER) return null;
  const next = structuredClone(held);
  const nodes = nodesOf(next.rule, next.loose);
  const from = nodes.find((node) => node.id === source);
  const moved = nodes.find((node) => node.id === target);
  if (!from || !moved || from.path === null || moved.kind === "trigger") return null;
  const piece = { kind: moved.kind, value: moved.value } as Piece;
  if (piece.kind === "branch" && inside(next.rule, from) === piece.value) return null;
  if (!mayFollow(from.kind, piece.kind)) return null;
  taken(next, target, piece);
  insert(next.rule, from, piece);
  return next;
}

/** A piece that is connected to nothing any more, or never was. */
export function loosened(held: Held, target: string): Held {
  const next = structuredClone(held);
  const moved = nodesOf(next.rule, next.loose).find((node) => node.id === target);
  if (!moved || moved.kind === "trigger" || moved.path === null) return held;
  const piece = { kind: moved.kind, value: moved.value } as Piece;
  taken(next, target, piece);
  next.loose.push({ id: newId(nodesOf(next.rule, next.loose).map((node) => node.id), "loose"), piece });
  return next;
}

export function removed(held: Held, target: string): Held {
  const next = structuredClone(held);
  const gone = nodesOf(next.rule, next.loose).find((node) => node.id === target);
  if (!gone || gone.kind === "trigger") return held;
  taken(next, target, { kind: gone.kind, value: gone.value } as Piece);
  return next;
}

/** The same with another value for one node. */
export function changed(held: Held, target: string, value: unknown): Held {
  const next = structuredClone(held);
  const node = nodesOf(next.rule, next.loose).find((one) => one.id === target);
  if (!node) return held;
  if (node.kind === "trigger") next.rule.trigger = value as Rule["trigger"];
  else if (node.path === null) {
    next.loose = next.loose.map((one) => (one.id === target ? { ...one, piece: { ...one.piece, value } as Piece } : one));
  } else {
    const list = listWith(next.rule, node.value);
    if (list) list[list.indexOf(node.value)] = value;
  }
  return next;
}

export function mayFollow(source: GraphNode["kind"], target: Piece["kind"]): boolean {
  if (source === "action") return target === "action";
  if (source === "branch") return target !== "branch";
  return true;
}

/** A name that is not taken yet: the wanted one, or it with a number. */
export function newId(taken: string[], wanted: string): string {
  let found = wanted;
  for (let number = 2; taken.includes(found); number += 1) found = `${wanted}-${number}`;
  return found;
}

/** Names of actions and branches in a rule and among what is loose. */
export function namesOf(held: Held): string[] {
  return nodesOf(held.rule, held.loose).flatMap((node) => {
    if (node.kind === "action") return [(node.value as Action).id];
    if (node.kind !== "branch") return [];
    const branch = node.value as Branch;
    return [branch.name, ...(node.path === null ? (branch.actions ?? []).map((one) => one.id) : [])];
  });
}

/** A copy of a piece whose names are not taken. */
export function copied(piece: Piece, taken: string[]): Piece {
  const copy = structuredClone(piece);
  if (copy.kind === "action") copy.value.id = newId(taken, copy.value.id);
  if (copy.kind === "branch") {
    const all = [...taken];
    copy.value.name = newId(all, copy.value.name);
    for (const action of copy.value.actions ?? []) {
      action.id = newId(all, action.id);
      all.push(action.id);
    }
  }
  return copy;
}

function taken(held: Held, id: string, piece: Piece): void {
  held.loose = held.loose.filter((one) => one.id !== id);
  const list = listWith(held.rule, piece.value);
  if (list) list.splice(list.indexOf(piece.value), 1);
}

function insert(rule: Rule, from: GraphNode, piece: Piece): void {
  const after = (list: unknown[]) => list.splice(list.indexOf(from.value) + 1, 0, piece.value);
  if (piece.kind === "branch") (rule.branches ??= []).push(piece.value);
  else if (piece.kind === "condition") {
    if (from.kind === "branch") ((from.value as Branch).when ??= []).push(piece.value);
    else after((rule.when ??= []));
  } else if (from.kind === "branch") ((from.value as Branch).actions ??= []).unshift(piece.value);
  else if (from.kind === "action") after(listWith(rule, from.value) ?? []);
  else (rule.actions ??= []).unshift(piece.value);
}

function listWith(rule: Rule, value: unknown): unknown[] | undefined {
  const lists: unknown[][] = [rule.when ?? [], rule.actions ?? [], rule.branches ?? []];
  for (const branch of rule.branches ?? []) lists.push(branch.actions ?? []);
  return lists.find((list) => list.includes(value));
}

function inside(rule: Rule, node: GraphNode): Branch | undefined {
  return (rule.branches ?? []).find((branch) => branch === node.value || (branch.actions ?? []).includes(node.value as Action));
}
