// Nodes, fields and data of rules in few words.
import { useTranslation } from "react-i18next";
import { useSaid } from "../parts/said";
import type { Action, Branch, Condition, Trigger } from "./document";
import type { GraphNode } from "./graph";

export function useNodeWords() {
  const { t } = useTranslation();
  const said = useSaid();
  function condition(one: Condition): string {
    if (one.cel) return one.cel;
    if (one.field) {
      const value = one.op === "exists" ? "" : ` ${said.channel(shown(one.value))}`;
      return `${one.field} ${t(`rule.op.${one.op ?? "eq"}`)}${value}`;
    }
    const many = one.all ?? one.any;
    if (many) return many.map(condition).join(one.all ? t("rule.and") : t("rule.or"));
    return one.not ? t("rule.not", { what: condition(one.not) }) : t("rule.nothingYet");
  }
  function action(one: Action): string {
    if (one.do === "wait") return t("rule.seconds", { count: one.seconds ?? 0 });
    return one.to ? said.channel(one.to) : one.id;
  }
  function trigger(one: Trigger): string {
    if (one.schedule) return t("rule.scheduled", { segment: one.schedule.segment, at: one.schedule.at ?? "09:00" });
    const events = (one.events ?? []).map(said.event).join(" · ");
    const channels = (one.channels ?? []).map(said.channel).join(" · ");
    return [events || t("rule.nothingYet"), channels].filter(Boolean).join(" @ ");
  }
  function title(node: GraphNode): string {
    if (node.kind === "action") return t(`rule.do.${(node.value as Action).do}`, { defaultValue: (node.value as Action).do });
    return t(`rule.node.${node.kind}`);
  }
  function detail(node: GraphNode): string {
    if (node.kind === "trigger") return trigger(node.value as Trigger);
    if (node.kind === "condition") return condition(node.value as Condition);
    if (node.kind === "action") return action(node.value as Action);
    const branch = node.value as Branch;
    const when = (branch.when ?? []).map(condition).join(t("rule.and"));
    return when || t("rule.otherwise");
  }
  return { title, detail, condition };
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) ? value.map(String).join(", ") : String(value);
}
