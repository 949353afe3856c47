// What other systems were told: what waits, what failed and why, each try, and sending again.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Segmented, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "../app/session";
import { api, got, type Schemas } from "../api/client";
import { Pages } from "../parts/Pages";
import { Panel } from "../parts/Panel";
import { colourOf, useSaid } from "../parts/said";
import { Failed, Nothing, Told } from "../parts/Told";

type State = "failed" | "waiting" | "delivered";
type Delivery = Schemas["Delivery"];
type Subscription = Schemas["Subscription"];
const EVERY_MS = 15_000;

export default function Deliveries() {
  const { t } = useTranslation();
  const [state, setState] = useState<State>("failed");
  const receivers = useQuery({
    queryKey: ["subscriptions"],
    queryFn: () => got(api.GET("/v1/subscriptions")),
    refetchInterval: EVERY_MS,
  });
  const known = new Map(receivers.data?.items.map((one) => [one.subscription_id, one]));
  return (
    <>
      <div className="page-head">
        <h1>{t("delivery.title")}</h1>
      </div>
      <Told asked={receivers}>
        {({ items }) => (
          <Panel title={t("delivery.receivers")}>
            {items.length === 0 && <Nothing words={t("delivery.noReceivers")} />}
            {items.map((one) => (
              <Receiver key={one.subscription_id} one={one} />
            ))}
          </Panel>
        )}
      </Told>
      <div className="page-head">
        <h2>{t("delivery.list")}</h2>
        <Segmented<State>
          onChange={setState}
          options={(["failed", "waiting", "delivered"] as const).map((value) => ({ value, label: t(`delivery.${value}`) }))}
          value={state}
        />
      </div>
      <Pages
        ask={(page) => got(api.GET("/v1/deliveries", { params: { query: { state, ...page } } }))}
        idOf={(one: Delivery) => one.delivery_id}
        name={["deliveries", state]}
        none={t(`delivery.none.${state}`)}
      >
        {(one) => <Row one={one} to={known.get(one.subscription_id)} />}
      </Pages>
    </>
  );
}

function Receiver({ one }: { one: Subscription }) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <div className="row">
      <span className="grow">
        {one.channel ? said.channel(one.channel) : t("delivery.house")} · {one.label}
        <div className="soft mono">{one.target_url}</div>
        {one.reason && <div className="soft">{one.reason}</div>}
      </span>
      <Tag color={one.state === "active" ? "green" : one.state === "paused" ? "gold" : "red"}>{t(`delivery.state.${one.state}`)}</Tag>
    </div>
  );
}

function Row({ one, to }: { one: Delivery; to: Subscription | undefined }) {
  const { t } = useTranslation();
  const said = useSaid();
  const may = useMay();
  const client = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const again = useMutation({
    mutationFn: () => got(api.POST("/v1/deliveries/{delivery_id}/retry", { params: { path: { delivery_id: one.delivery_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["deliveries"] }),
  });
  const why = one.last_error ?? (one.last_status ? `HTTP ${one.last_status}` : "");
  return (
    <div className="row">
      <span className="grow">
        {said.event(one.type)} → {to?.channel ? said.channel(to.channel) : t("delivery.house")}
        <div className="soft">
          {said.moment(one.created_at)} · {t("delivery.tries", { count: one.attempts })}
          {one.state === "waiting" && ` · ${t("delivery.next", { at: said.moment(one.next_at) })}`}
        </div>
        {why && <div className="soft mono">{why}</div>}
        {isOpen && <Tries id={one.delivery_id} />}
        {again.isError && <Failed error={again.error} />}
      </span>
      {one.is_replay && <Tag>{t("delivery.replay")}</Tag>}
      <Tag color={colourOf(one.state)}>{t(`delivery.${one.state}`, { defaultValue: one.state })}</Tag>
      <Button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)} size="small">
        {t("delivery.details")}
      </Button>
      {may("subscriptions:write") && one.state === "failed" && (
        <Button loading={again.isPending} onClick={() => again.mutate()} size="small" type="primary">
          {t("delivery.again")}
        </Button>
      )}
    </div>
  );
}

function Tries({ id }: { id: string }) {
  const { t } = useTranslation();
  const said = useSaid();
  const path = { params: { path: { delivery_id: id } } };
  const tries = useQuery({ queryKey: ["tries", id], queryFn: () => got(api.GET("/v1/deliveries/{delivery_id}/attempts", path)) });
  const whole = useQuery({ queryKey: ["delivery", id], queryFn: () => got(api.GET("/v1/deliveries/{delivery_id}", path)) });
  return (
    <>
      <Told asked={tries}>
        {({ attempts }) => (
          <ul className="soft">
            {attempts.map((one) => (
              <li key={one.attempt}>
                {said.moment(one.attempted_at)} · {one.status ?? "—"} · {Math.round(one.duration_ms)} ms {one.error}
              </li>
            ))}
          </ul>
        )}
      </Told>
      <Told asked={whole}>
        {({ said: body }) => (body ? <pre className="data mono">{JSON.stringify(body, null, 2)}</pre> : <p className="soft">{t("delivery.nothing")}</p>)}
      </Told>
    </>
  );
}
