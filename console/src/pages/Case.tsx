// A case: what it is about, what may mend it, who works on it, and how it ends.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, DatePicker, Input, InputNumber, Select, Tag } from "antd";
import type { Dayjs } from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { useMay, useSession } from "../app/session";
import { api, got, newName, type Schemas } from "../api/client";
import { find, placeOf } from "../parts/finding";
import { Panel } from "../parts/Panel";
import { Reason } from "../parts/Reason";
import { useSaid } from "../parts/said";
import { Failed, Nothing, Told } from "../parts/Told";

type Whole = Schemas["Case"];
// Names for machines: they tell a person nothing.
const HIDDEN = ["event_key", "profile_id"];
const PRIORITIES = ["low", "normal", "high"];

export default function Case({ params }: { params: { id: string } }) {
  const case_id = params.id;
  const asked = useQuery({
    queryKey: ["case", case_id],
    queryFn: () => got(api.GET("/v1/cases/{case_id}", { params: { path: { case_id } } })),
  });
  return <Told asked={asked}>{(one) => <Shown one={one} />}</Told>;
}

function Shown({ one }: { one: Whole }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const said = useSaid();
  const isOpen = one.state === "open";
  return (
    <>
      <div className="page-head">
        <Link href="/work">{t("work.title")}</Link>
        <h1>{i18n.language === "en" ? one.title : one.title_zh}</h1>
        <Tag color={isOpen ? "gold" : "green"}>{t(`work.${one.state}`)}</Tag>
      </div>
      <div className="columns">
        <div>
          <About one={one} />
          <Panel title={t("case.history")}>
            {one.history.length === 0 && <Nothing words={t("case.noHistory")} />}
            {one.history.map((step, index) => (
              <div className="row" key={index}>
                <span className="soft step-at">{said.moment(step.at)}</span>
                <span className="grow">
                  {said.event(step.type)}
                  <div className="soft">{step.reason}</div>
                </span>
                <span className="soft">{step.by}</span>
              </div>
            ))}
          </Panel>
        </div>
        <div>
          {isOpen && one.kind === "approval" && may("approvals:write") && <Approve one={one} />}
          {isOpen && may("cases:write") && one.actions.length > 0 && <Settle one={one} />}
          {isOpen && may("cases:write") && <Assign one={one} />}
          {may("cases:write") && <Note one={one} />}
        </div>
      </div>
    </>
  );
}

function About({ one }: { one: Whole }) {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const said = useSaid();
  const [, go] = useLocation();
  const look = useMutation({
    mutationFn: () => find(one.object_key.split("/")[0] ?? ""),
    onSuccess(hits) {
      const place = hits.map(placeOf).find((found) => found !== null);
      if (place) go(place);
      else void message.info(t("case.noPage"));
    },
  });
  const told = Object.entries(one.detail).filter(([name, value]) => value !== null && !HIDDEN.includes(name));
  const say = (name: string, value: unknown) => {
    if (typeof value !== "string") return JSON.stringify(value);
    if (name === "channel") return said.channel(value);
    return name === "reason" || name === "refusal" ? said.why(value) : said.state(value);
  };
  return (
    <Panel
      extra={
        <Button loading={look.isPending} onClick={() => look.mutate()}>
          {t("case.look")}
        </Button>
      }
      title={t("case.about")}
    >
      <div className="row">
        <span className="grow">{t(`object.${one.object_kind}`, { defaultValue: one.object_kind })}</span>
        <span className="mono soft">{one.object_key}</span>
      </div>
      {told.map(([name, value]) => (
        <div className="row" key={name}>
          <span className="grow soft">{t(`detail.${name}`, { defaultValue: name })}</span>
          <span className="mono">{say(name, value)}</span>
        </div>
      ))}
      {one.repairs.length > 0 && <h3>{t("case.repairs")}</h3>}
      {one.repairs.map((repair) => (
        <div className="row" key={repair.command}>
          <span className="grow">{i18n.language === "en" ? repair.title : repair.title_zh}</span>
        </div>
      ))}
    </Panel>
  );
}

function Settle({ one }: { one: Whole }) {
  const { t } = useTranslation();
  const [action, setAction] = useState<string | null>(null);
  const [reason, setReason] = useState("");
  const [given, setGiven] = useState({ channel: "", shop: "main", account: "", points: 100 });
  const isGiving = action === "compensated";
  const settle = useStep(one, async () => {
    const body = { action, reason, ...(isGiving ? { given } : {}) } as never;
    await got(api.POST("/v1/cases/{case_id}/settle", { params: paramsOf(one), body }));
  });
  return (
    <Panel title={t("case.settle")}>
      <div className="stack">
        <Select
          aria-label={t("case.action")}
          onChange={setAction}
          options={one.actions.map((name) => ({ value: name, label: t(`action.${name}`) }))}
          placeholder={t("case.action")}
          value={action}
        />
        {isGiving && (
          <>
            {(["channel", "shop", "account"] as const).map((name) => (
              <label className="stack" key={name}>
                {t(`given.${name}`)}
                <Input onChange={(event) => setGiven({ ...given, [name]: event.target.value })} value={given[name]} />
              </label>
            ))}
            <label className="stack">
              {t("given.points")}
              <InputNumber min={1} onChange={(points) => setGiven({ ...given, points: points ?? 1 })} value={given.points} />
            </label>
          </>
        )}
        <Reason onChange={setReason} value={reason} />
        {settle.isError && <Failed error={settle.error} />}
        <Button disabled={!action || !reason.trim()} loading={settle.isPending} onClick={() => settle.mutate()} type="primary">
          {t("case.settleNow")}
        </Button>
      </div>
    </Panel>
  );
}

function Approve({ one }: { one: Whole }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const params = () => ({ path: { approval_id: one.object_key }, header: { "Idempotency-Key": newName() } });
  const grant = useStep(one, async () => {
    await got(api.POST("/v1/approvals/{approval_id}/grant", { params: params() }));
  });
  const decline = useStep(one, async () => {
    await got(api.POST("/v1/approvals/{approval_id}/decline", { params: params(), body: { reason } as never }));
  });
  return (
    <Panel title={t("approval.title")}>
      <div className="stack">
        <Reason onChange={setReason} value={reason} />
        {grant.isError && <Failed error={grant.error} />}
        {decline.isError && <Failed error={decline.error} />}
        <div className="actions">
          <Button loading={grant.isPending} onClick={() => grant.mutate()} type="primary">
            {t("approval.grant")}
          </Button>
          <Button danger disabled={!reason.trim()} loading={decline.isPending} onClick={() => decline.mutate()}>
            {t("approval.decline")}
          </Button>
        </div>
      </div>
    </Panel>
  );
}

function Assign({ one }: { one: Whole }) {
  const { t } = useTranslation();
  const { person_id } = useSession();
  const [assignee, setAssignee] = useState(one.assignee ?? person_id);
  const [priority, setPriority] = useState(one.priority);
  const [due, setDue] = useState<Dayjs | null>(null);
  const [reason, setReason] = useState("");
  const assign = useStep(one, async () => {
    const due_at = due?.toISOString() ?? one.due_at;
    const body = { assignee: assignee.trim() || null, priority, due_at, reason } as never;
    await got(api.POST("/v1/cases/{case_id}/assign", { params: paramsOf(one), body }));
  });
  return (
    <Panel title={t("case.handOver")}>
      <div className="stack">
        <label className="stack">
          {t("case.assignee")}
          <Input onChange={(event) => setAssignee(event.target.value)} value={assignee} />
        </label>
        <div className="actions">
          <Select
            aria-label={t("case.priority")}
            onChange={setPriority}
            options={PRIORITIES.map((name) => ({ value: name, label: t(`priority.${name}`) }))}
            value={priority}
          />
          <DatePicker aria-label={t("case.due")} onChange={setDue} placeholder={t("case.due")} showTime value={due} />
        </div>
        <Reason onChange={setReason} value={reason} />
        {assign.isError && <Failed error={assign.error} />}
        <Button disabled={!reason.trim()} loading={assign.isPending} onClick={() => assign.mutate()}>
          {t("case.assign")}
        </Button>
      </div>
    </Panel>
  );
}

function Note({ one }: { one: Whole }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const note = useStep(one, async () => {
    await got(api.POST("/v1/cases/{case_id}/notes", { params: paramsOf(one), body: { reason } as never }));
    setReason("");
  });
  return (
    <Panel title={t("case.note")}>
      <div className="stack">
        <Reason label={t("case.noteText")} onChange={setReason} value={reason} />
        {note.isError && <Failed error={note.error} />}
        <Button disabled={!reason.trim()} loading={note.isPending} onClick={() => note.mutate()}>
          {t("case.noteNow")}
        </Button>
      </div>
    </Panel>
  );
}

function paramsOf(one: Whole) {
  return { path: { case_id: one.case_id }, header: { "Idempotency-Key": newName() } };
}

/** One step on a case; the case and the queue are read anew after it. */
function useStep(one: Whole, mutationFn: () => Promise<void>) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    async onSuccess() {
      void message.success(t("ask.done"));
      await client.invalidateQueries({ queryKey: ["cases"] });
      await client.invalidateQueries({ queryKey: ["case", one.case_id] });
    },
  });
}
