// The steps of a run: what went into each and what came out.
import { Tag } from "antd";
import { useTranslation } from "react-i18next";

export interface Step {
  path: string;
  kind: string;
  input: unknown;
  output: unknown;
}

export function Steps({ steps }: { steps: Step[] }) {
  const { t } = useTranslation();
  return (
    <ol className="steps">
      {steps.map((step, index) => (
        <li key={index}>
          <div className="actions">
            <Tag>{step.kind === "condition" || step.kind === "map" ? t(`rule.step.${step.kind}`) : t(`rule.do.${step.kind}`)}</Tag>
            <span className="mono soft">{step.path}</span>
            {typeof step.output === "boolean" && (
              <Tag color={step.output ? "green" : "default"}>{step.output ? t("rule.holds") : t("rule.holdsNot")}</Tag>
            )}
          </div>
          <details>
            <summary>{t("rule.input")}</summary>
            {step.input === "fact" ? <p className="soft">{t("rule.theFact")}</p> : <Data value={step.input} />}
          </details>
          {typeof step.output !== "boolean" && (
            <>
              <div className="soft">{t("rule.output")}</div>
              <Data value={step.output} />
            </>
          )}
        </li>
      ))}
    </ol>
  );
}

/** Data as it is, for people who read it. */
export function Data({ value }: { value: unknown }) {
  return <pre className="data mono">{JSON.stringify(value, null, 2)}</pre>;
}
