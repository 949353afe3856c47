// What a rule did: its runs, the newest first; one opens with its data, step by step.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, got, newName } from "../api/client";
import { useMay } from "../app/session";
import { Panel } from "../parts/Panel";
import { colourOf, useSaid } from "../parts/said";
import { Failed, Nothing, Told } from "../parts/Told";
import type { Run } from "./asking";
import { Data, Steps, type Step } from "./Steps";

const STATES = ["done", "waiting", "failed", "dismissed"] as const;
const AGAIN_MS = 5_000;

export function Runs({ name }: { name: string }) {
  const { t } = useTranslation();
  const [state, setState] = useState<(typeof STATES)[number] | null>(null);
  const [open, setOpen] = useState<number | null>(null);
  const runs = useInfiniteQuery({
    queryKey: ["rule", name, "runs", state],
    queryFn: ({ pageParam }) =>
      got(
        api.GET("/v1/rules/{name}/runs", {
          params: { path: { name }, query: { state: state ?? undefined, cursor: pageParam ?? undefined } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    refetchInterval: AGAIN_MS,
  });
  const found = runs.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel
      extra={
        <Select
          allowClear
          aria-label={t("rule.runState")}
          onChange={(value) => setState(value ?? null)}
          options={STATES.map((value) => ({ value, label: t(`rule.run.${value}`) }))}
          placeholder={t("rule.runState")}
          style={{ minWidth: 120 }}
          value={state}
        />
      }
      title={t("rule.runs")}
    >
      {runs.isError && <Failed error={runs.error} />}
      {runs.isSuccess && found.length === 0 && <Nothing words={t("rule.noRuns")} />}
      {found.map((one) => (
        <div key={one.run_id}>
          <Listed isOpen={open === one.run_id} onOpen={() => setOpen(open === one.run_id ? null : one.run_id)} one={one} />
          {open === one.run_id && <Opened one={one} />}
        </div>
      ))}
      {runs.hasNextPage && (
        <Button block loading={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
          {t("path.more")}
        </Button>
      )}
    </Panel>
  );
}

function Listed({ one, isOpen, onOpen }: { one: Run; isOpen: boolean; onOpen: () => void }) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <div className="row">
      <span className="soft step-at">{said.moment(one.ran_at)}</span>
      <span className="grow">
        {said.event(one.type)}
        <div className="soft">{t("rule.ranAs", { number: one.version, effects: one.effects })}</div>
        {one.failures?.map((failure) => (
          <div key={failure.path + failure.code}>
            <span className="mono soft">{failure.path}</span> {failure.reason}
          </div>
        ))}
      </span>
      <Tag color={one.state === "done" ? "green" : colourOf(one.state)}>{t(`rule.run.${one.state}`)}</Tag>
      <Button aria-expanded={isOpen} onClick={onOpen} size="small">
        {isOpen ? t("rule.closeRun") : t("rule.openRun")}
      </Button>
    </div>
  );
}

function Opened({ one }: { one: Run }) {
  const { t } = useTranslation();
  const may = useMay();
  const { message } = App.useApp();
  const client = useQueryClient();
  const path = { name: one.rule, run_id: one.run_id };
  const asked = useQuery({
    queryKey: ["rule-run", one.rule, one.run_id, one.state],
    queryFn: () => got(api.GET("/v1/rules/{name}/runs/{run_id}", { params: { path } })),
  });
  const ended = {
    onSuccess() {
      void message.success(t("ask.done"));
      void client.invalidateQueries({ queryKey: ["rule", one.rule] });
    },
    onError(error: Error) {
      void message.error(error.message);
    },
  };
  const params = () => ({ path, header: { "Idempotency-Key": newName() } });
  const retry = useMutation({
    mutationFn: (version: "same" | "current") =>
      got(api.POST("/v1/rules/{name}/runs/{run_id}/retry", { params: params(), body: { version } as never })),
    ...ended,
  });
  const dismiss = useMutation({
    mutationFn: () => got(api.POST("/v1/rules/{name}/runs/{run_id}/dismiss", { params: params() })),
    ...ended,
  });
  return (
    <div className="opened">
      {one.state === "failed" && may("rules:write") && (
        <div className="actions">
          <Button loading={retry.isPending} onClick={() => retry.mutate("same")}>
            {t("rule.retrySame")}
          </Button>
          <Button loading={retry.isPending} onClick={() => retry.mutate("current")}>
            {t("rule.retryCurrent")}
          </Button>
          <Button loading={dismiss.isPending} onClick={() => dismiss.mutate()}>
            {t("rule.dismiss")}
          </Button>
        </div>
      )}
      <Told asked={asked}>
        {(run) => (
          <>
            <h3>{t("rule.fact")}</h3>
            {run.fact ? <Data value={run.fact} /> : <Nothing words={t("rule.factGone")} />}
            <h3>{t("rule.steps")}</h3>
            <Steps steps={run.steps as unknown as Step[]} />
            <h3>{t("rule.effects")}</h3>
            {run.effects.length === 0 && <Nothing words={t("rule.noEffects")} />}
            {run.effects.map((effect, index) => (
              <Data key={index} value={effect} />
            ))}
          </>
        )}
      </Told>
    </div>
  );
}
