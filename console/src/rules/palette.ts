// What the palette holds: each kind of piece, as it begins.
import type { Parts } from "./asking";
import type { Piece } from "./graph";

export interface Offered {
  name: string;
  word: string;
  piece: Piece;
}

/** What tells a channel something: its name is chosen, not written. */
export const isTold = (name: string) => name === "deliver" || name === "notify";

export function palette(parts: Parts | undefined): Offered[] {
  const actions = (parts?.actions ?? []).map(({ do: name, needs_to }) => ({
    name,
    word: `rule.do.${name}`,
    piece: {
      kind: "action" as const,
      value: {
        do: name,
        id: name.replace("_", "-"),
        ...(needs_to ? { to: isTold(name) ? "website" : "" } : {}),
        ...(name === "wait" ? { seconds: 60 } : {}),
      },
    },
  }));
  return [
    {
      name: "condition",
      word: "rule.node.condition",
      piece: { kind: "condition", value: { field: "event.channel", op: "eq", value: "website" } },
    },
    { name: "branch", word: "rule.node.branch", piece: { kind: "branch", value: { name: "branch", actions: [] } } },
    ...actions,
  ];
}
