// The form of the node that is chosen.
import type { Action, Branch, Condition, Trigger } from "./document";
import { ActionForm, BranchForm, ConditionForm, TriggerForm, type Known } from "./Forms";
import type { GraphNode } from "./graph";

export function Inspector({ node, onChange, known }: { node: GraphNode; onChange: (value: unknown) => void; known: Known }) {
  const given = { onChange, known };
  if (node.kind === "trigger") return <TriggerForm value={node.value as Trigger} {...given} />;
  if (node.kind === "condition") return <ConditionForm value={node.value as Condition} {...given} />;
  if (node.kind === "action") return <ActionForm value={node.value as Action} {...given} />;
  return <BranchForm value={node.value as Branch} {...given} />;
}
