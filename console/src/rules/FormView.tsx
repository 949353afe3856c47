// The whole rule as one form, in the order in which it runs.
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { Panel } from "../parts/Panel";
import type { Action, Rule } from "./document";
import { ActionForm, BranchForm, ConditionList, GeneralForm, TriggerForm, type Known } from "./Forms";
import { newId, namesOf } from "./graph";

interface Given {
  rule: Rule;
  onChange: (rule: Rule, stroke?: string) => void;
  known: Known;
}

export function FormView({ rule, onChange, known }: Given) {
  const { t } = useTranslation();
  const taken = namesOf({ rule, loose: [] });
  const branches = rule.branches ?? [];
  return (
    <>
      <Panel title={t("rule.generalTitle")}>
        <GeneralForm onChange={(next) => onChange(next, "general")} rule={rule} />
      </Panel>
      <Panel title={t("rule.node.trigger")}>
        <TriggerForm known={known} onChange={(trigger) => onChange({ ...rule, trigger }, "trigger")} value={rule.trigger} />
      </Panel>
      <Panel title={t("rule.node.condition")}>
        <ConditionList known={known} onChange={(when) => onChange({ ...rule, when }, "when")} value={rule.when ?? []} />
      </Panel>
      <Panel title={t("rule.actions")}>
        <Actions known={known} onChange={(actions) => onChange({ ...rule, actions }, "actions")} taken={taken} value={rule.actions ?? []} />
      </Panel>
      <Panel title={t("rule.branches")}>
        <div className="stack">
          {branches.map((branch, index) => (
            <div className="nested" key={index}>
              <BranchForm
                known={known}
                onChange={(next) => onChange({ ...rule, branches: branches.with(index, next) }, `branch ${index}`)}
                value={branch}
              />
              <Actions
                known={known}
                onChange={(actions) => onChange({ ...rule, branches: branches.with(index, { ...branch, actions }) }, `branch ${index} actions`)}
                taken={taken}
                value={branch.actions ?? []}
              />
              <Button onClick={() => onChange({ ...rule, branches: branches.toSpliced(index, 1) })} size="small">
                {t("rule.removeBranch")}
              </Button>
            </div>
          ))}
          <Button onClick={() => onChange({ ...rule, branches: [...branches, { name: newId(taken, "branch"), actions: [] }] })}>
            {t("rule.addBranch")}
          </Button>
        </div>
      </Panel>
    </>
  );
}

interface ActionsGiven {
  value: Action[];
  onChange: (value: Action[]) => void;
  known: Known;
  taken: string[];
}

function Actions({ value, onChange, known, taken }: ActionsGiven) {
  const { t } = useTranslation();
  return (
    <div className="stack">
      {value.map((one, index) => (
        <div className="nested" key={index}>
          <ActionForm known={known} onChange={(next) => onChange(value.with(index, next))} value={one} />
          <Button onClick={() => onChange(value.toSpliced(index, 1))} size="small">
            {t("rule.remove")}
          </Button>
        </div>
      ))}
      <Button onClick={() => onChange([...value, { do: "deliver", id: newId(taken, "deliver"), to: "website" }])}>
        {t("rule.addAction")}
      </Button>
    </div>
  );
}
