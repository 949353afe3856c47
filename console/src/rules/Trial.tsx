// Trying a rule on a pinned real event: each step with what went in and came out.
import { useMutation } from "@tanstack/react-query";
import { Alert, Button, Tag } from "antd";
import { useTranslation } from "react-i18next";
import { api, got } from "../api/client";
import { Panel } from "../parts/Panel";
import { Failed } from "../parts/Told";
import type { Sample } from "./asking";
import { Pinned } from "./Pinned";
import { Data, Steps, type Step } from "./Steps";

interface Made {
  status: string;
  effects: Record<string, unknown>[];
  failures: { path: string; reason: string }[];
  steps: Step[];
}
interface Given {
  name: string;
  text: string;
  samples: Sample[];
  pinned: Sample | undefined;
  onPin: (event_id: string) => void;
}

export function Trial({ name, text, samples, pinned, onPin }: Given) {
  const { t } = useTranslation();
  const test = useMutation({
    mutationFn: (event: Sample) => {
      const since = new Date(Date.parse(event.received_at) - 60_000).toISOString();
      const body = { rule: text, event_id: event.event_id, since };
      return got(api.POST("/v1/rules/{name}/test", { params: { path: { name } }, body: body as never }));
    },
  });
  return (
    <Panel title={t("rule.testTitle")}>
      <div className="stack">
        <Pinned onPin={onPin} pinned={pinned} samples={samples} />
        <div className="actions">
          <Button disabled={!pinned} loading={test.isPending} onClick={() => pinned && test.mutate(pinned)} type="primary">
            {t("rule.testNow")}
          </Button>
        </div>
        {test.isError && <Failed error={test.error} />}
        {test.data?.tests.map((one, index) => (
          <div key={index}>
            <details>
              <summary>{t("rule.fact")}</summary>
              <Data value={one.fact} />
            </details>
            {one.runs.length === 0 && <Alert title={t("rule.notConcerned")} type="info" />}
            {(one.runs as unknown as Made[]).map((run, number) => (
              <div key={number}>
                <p>
                  <Tag color={run.status === "done" ? "green" : run.status === "failed" ? "red" : "default"}>{t(`rule.made.${run.status}`)}</Tag>
                  <span>{t("rule.wouldDo", { count: run.effects.length })}</span>
                </p>
                {run.failures.map((failure) => (
                  <p className="fault" key={failure.path}>
                    <span className="mono">{failure.path}</span> {failure.reason}
                  </p>
                ))}
                <Steps steps={run.steps} />
              </div>
            ))}
          </div>
        ))}
      </div>
    </Panel>
  );
}
