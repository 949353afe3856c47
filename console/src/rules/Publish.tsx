// Before a rule goes live: what it would have done with real events, beside the live version; then
// publishing it, with the reason.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, got, newName, Refusal } from "../api/client";
import { useMay } from "../app/session";
import { Figure, Panel } from "../parts/Panel";
import { Reason } from "../parts/Reason";
import { Failed } from "../parts/Told";
import type { Fault } from "./asking";
import { Labelled } from "./Labelled";
import { Data } from "./Steps";

const DAYS = [1, 7, 30];
const DAY_MS = 86_400_000;
const COUNTS = ["facts", "created", "changed", "same", "dropped", "skipped", "failed"] as const;

interface Given {
  name: string;
  text: string;
  faults: Fault[] | undefined;
  looseCount: number;
  onPublished: () => void;
}

export function Publish({ name, text, faults, looseCount, onPublished }: Given) {
  const { t } = useTranslation();
  const may = useMay();
  const client = useQueryClient();
  const [days, setDays] = useState(1);
  const [reason, setReason] = useState("");
  const params = { path: { name } };
  const trial = useMutation({
    mutationFn: async (tried: string) => {
      const since = new Date(Date.now() - days * DAY_MS).toISOString();
      const body = { rule: tried, since } as never;
      const counts = await got(api.POST("/v1/rules/{name}/dry-run", { params, body }));
      return { tried, counts, lines: await diffOf(name, tried) };
    },
  });
  const publish = useMutation({
    mutationFn: () =>
      got(api.POST("/v1/rules", { params: { header: { "Idempotency-Key": newName() } }, body: { rule: text, reason } as never })),
    onSuccess(done) {
      if (!done.approval_id) onPublished();
      setReason("");
      void client.invalidateQueries({ queryKey: ["rule", name] });
      void client.invalidateQueries({ queryKey: ["rules"] });
    },
  });
  const told = trial.data?.tried === text ? trial.data : undefined;
  const isRight = faults?.length === 0;
  return (
    <>
      <Panel title={t("rule.dryRun")}>
        <div className="stack">
          <Labelled words={t("rule.dryRunSince")}>
            {(label) => (
              <Select aria-label={label} onChange={setDays} options={DAYS.map((value) => ({ value, label: t("rule.days", { count: value }) }))} value={days} />
            )}
          </Labelled>
          <div className="actions">
            <Button disabled={!isRight} loading={trial.isPending} onClick={() => trial.mutate(text)} type="primary">
              {t("rule.dryRunNow")}
            </Button>
            {faults && faults.length > 0 && <span className="fault">{t("rule.mendFirst", { count: faults.length })}</span>}
          </div>
          {trial.isError && <Failed error={trial.error} />}
          {told && (
            <>
              <div className="figures">
                {COUNTS.map((count) => (
                  <Figure key={count} name={t(`rule.count.${count}`)} value={told.counts[count]} />
                ))}
              </div>
              {told.counts.changes.length > 0 && <h3>{t("rule.changes")}</h3>}
              {told.counts.changes.map((change, index) => (
                <details key={index}>
                  <summary>
                    {t(`rule.count.${change.live === null ? "created" : change.draft === null ? "dropped" : "changed"}`)}{" "}
                    <span className="mono">{String(change.action)}</span>
                  </summary>
                  <div className="sides">
                    <div>
                      <div className="soft">{t("rule.live")}</div>
                      <Data value={change.live} />
                    </div>
                    <div>
                      <div className="soft">{t("rule.draft")}</div>
                      <Data value={change.draft} />
                    </div>
                  </div>
                </details>
              ))}
              {told.counts.failures.length > 0 && <h3>{t("rule.failures")}</h3>}
              {told.counts.failures.map((failure, index) => (
                <Data key={index} value={failure.failures} />
              ))}
              <h3>{t("rule.diff")}</h3>
              {told.lines === null && <p className="soft">{t("rule.firstVersion")}</p>}
              {told.lines?.length === 0 && <p className="soft">{t("rule.noDiff")}</p>}
              {told.lines && told.lines.length > 0 && (
                <pre className="data mono">
                  {told.lines.map((line, index) => (
                    <div className={line.startsWith("+") ? "added" : line.startsWith("-") ? "gone" : undefined} key={index}>
                      {line}
                    </div>
                  ))}
                </pre>
              )}
            </>
          )}
        </div>
      </Panel>
      {may("rules:write") && (
        <Panel title={t("rule.publish")}>
          <div className="stack">
            {!told && <span className="soft">{t("rule.dryRunFirst")}</span>}
            {looseCount > 0 && <Alert showIcon title={t("rule.looseStay", { count: looseCount })} type="warning" />}
            <Reason onChange={setReason} value={reason} />
            {publish.isError && <Failed error={publish.error} />}
            {publish.data && (
              <Alert
                description={publish.data.findings?.join(" ")}
                showIcon
                title={publish.data.approval_id ? t("rule.waits") : t("rule.isPublished")}
                type={publish.data.approval_id ? "info" : "success"}
              />
            )}
            <div className="actions">
              <Button disabled={!isRight || !told || !reason.trim()} loading={publish.isPending} onClick={() => publish.mutate()} type="primary">
                {t("rule.publishNow")}
              </Button>
            </div>
          </div>
        </Panel>
      )}
    </>
  );
}

/** Line by line against the newest version; null if there is none yet. */
async function diffOf(name: string, text: string): Promise<string[] | null> {
  try {
    return (await got(api.POST("/v1/rules/{name}/diff", { params: { path: { name } }, body: { rule: text } as never }))).lines;
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return null;
    throw error;
  }
}
