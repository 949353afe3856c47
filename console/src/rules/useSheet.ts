// What is being built: the rule's text, the pieces that are connected to nothing, and where nodes
// stand. Every change can be undone. A draft stays in the browser until it is published.
import { useCallback, useEffect, useMemo, useReducer, useState } from "react";
import { read, write, type Rule } from "./document";
import type { Loose, Place } from "./graph";

export interface Sheet {
  text: string;
  loose: Loose[];
  places: Record<string, Place>;
}
/** As the browser keeps it. text: null where it says nothing that was not published. */
interface Kept extends Omit<Sheet, "text"> {
  text: string | null;
}
interface History {
  past: Sheet[];
  now: Sheet;
  future: Sheet[];
  stroke: string | null;
  at: number;
}
type Step = { kind: "change"; sheet: Sheet; stroke: string | null } | { kind: "undo" } | { kind: "redo" };

const STEPS_MAX = 200;
const STROKE_MS = 1_000;

/** stroke: changes with the same one, made quickly, are one step: letters that are typed. */
function stepped(history: History, step: Step): History {
  const { past, now, future } = history;
  if (step.kind === "undo") {
    const before = past.at(-1);
    if (!before) return history;
    return { past: past.slice(0, -1), now: before, future: [now, ...future], stroke: null, at: 0 };
  }
  if (step.kind === "redo") {
    const [next, ...rest] = future;
    return next ? { past: [...past, now], now: next, future: rest, stroke: null, at: 0 } : history;
  }
  const at = Date.now();
  const isSame = step.stroke !== null && step.stroke === history.stroke && at - history.at < STROKE_MS;
  const kept = isSame ? past : [...past, now].slice(-STEPS_MAX);
  return { past: kept, now: step.sheet, future: [], stroke: step.stroke, at };
}

export interface SheetHeld {
  sheet: Sheet;
  rule: Rule | null;
  canUndo: boolean;
  canRedo: boolean;
  undo: () => void;
  redo: () => void;
  change: (sheet: Partial<Sheet>, stroke?: string) => void;
  /** What stands here is published: the draft is one no more. */
  settle: () => void;
  changeRule: (rule: Rule, more?: Partial<Sheet>, stroke?: string) => void;
}

export function useSheet(name: string, written: string): SheetHeld {
  const [history, take] = useReducer(stepped, null, () => {
    const draft = draftOf(name);
    const now = { text: draft?.text ?? written, loose: draft?.loose ?? [], places: draft?.places ?? {} };
    return { past: [], now, future: [], stroke: null, at: 0 };
  });
  const [settled, setSettled] = useState(written);
  const sheet = history.now;
  const rule = useMemo(() => read(sheet.text), [sheet.text]);
  useEffect(
    () => keepDraft(name, { ...sheet, text: sheet.text === settled ? null : sheet.text }),
    [name, sheet, settled],
  );
  const change = useCallback(
    (part: Partial<Sheet>, stroke?: string) =>
      take({ kind: "change", sheet: { ...sheet, ...part }, stroke: stroke ?? null }),
    [sheet],
  );
  const changeRule = useCallback(
    (next: Rule, more: Partial<Sheet> = {}, stroke?: string) =>
      change({ ...more, text: write(sheet.text, next) }, stroke),
    [change, sheet.text],
  );
  return {
    sheet,
    rule,
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
    undo: useCallback(() => take({ kind: "undo" }), []),
    redo: useCallback(() => take({ kind: "redo" }), []),
    change,
    settle: useCallback(() => setSettled(sheet.text), [sheet.text]),
    changeRule,
  };
}

export function keepDraft(name: string, sheet: Kept): void {
  localStorage.setItem(`hub.rule.${name}`, JSON.stringify(sheet));
}

/** The names of drafts that this browser keeps. */
export function draftNames(): string[] {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith("hub.rule."))
    .map((key) => key.slice("hub.rule.".length))
    .filter((name) => draftOf(name)?.text);
}

export function draftOf(name: string): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(`hub.rule.${name}`) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}
