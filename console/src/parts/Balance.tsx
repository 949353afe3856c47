// A member's points, and why the balance is what it is: lots, their entries, and the rule behind.
import { useQuery } from "@tanstack/react-query";
import { Button, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { api, got, type Schemas } from "../api/client";
import { Figure, Panel } from "./Panel";
import { useSaid } from "./said";
import { Nothing, Told } from "./Told";

type Explanation = Schemas["Explanation"];

export function Balance({ member_id }: { member_id: string }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const asked = useQuery({
    queryKey: ["member", member_id, "points"],
    queryFn: () => got(api.GET("/v1/members/{member_id}/points/explanation", { params: { path: { member_id } } })),
  });
  const why = (
    <Button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)} type={isOpen ? "default" : "primary"}>
      {isOpen ? t("points.less") : t("points.why")}
    </Button>
  );
  return (
    <Panel extra={why} title={t("points.title")}>
      <Told asked={asked}>
        {(points) => (
          <div className="stack">
            <div className="figures">
              <Figure name={t("points.balance")} value={points.balance} />
              <Figure name={t("points.open")} value={points.open} />
              <Figure name={t("points.pending")} value={points.pending} />
              <Figure name={t("points.held")} value={points.held} />
              <Figure name={t("points.debt")} value={points.debt} />
            </div>
            {isOpen && <Why points={points} />}
          </div>
        )}
      </Told>
    </Panel>
  );
}

function Why({ points }: { points: Explanation }) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <div>
      <p>{t("points.formula", { balance: points.balance, open: points.open, debt: points.debt })}</p>
      {points.lots.length === 0 && <Nothing words={t("points.none")} />}
      {points.lots.map((lot, index) => (
        <div key={index}>
          <div className="row">
            <span className="grow">
              <b>{t("points.lot", { granted: lot.granted, left: lot.open + lot.pending })}</b>
              <div className="soft">
                {said.channel(lot.channel)} · {said.moment(lot.earned_at)} ·{" "}
                {lot.ends_at ? t("points.ends", { at: said.moment(lot.ends_at) }) : t("said.noEnd")}
              </div>
            </span>
            {lot.order_id && <Link href={`/orders/${lot.order_id}`}>{t("points.order")}</Link>}
            {lot.pending > 0 && <Tag color="gold">{t("points.opens", { at: said.moment(lot.opens_at) })}</Tag>}
          </div>
          {lot.entries.map((entry, at) => (
            <Entry entry={entry} key={at} />
          ))}
        </div>
      ))}
      {points.spendings.length > 0 && <h3>{t("points.taken")}</h3>}
      {points.spendings.map((entry, index) => (
        <Entry entry={entry} key={index} />
      ))}
    </div>
  );
}

function Entry({ entry }: { entry: Schemas["Cause"] }) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <div className="row entry">
      <span className="number points">{said.points(entry.points)}</span>
      <span className="grow">
        {t(`entry.${entry.kind}`, { defaultValue: entry.kind })}
        {entry.event_type && <span className="soft"> {t("points.because", { event: said.event(entry.event_type) })}</span>}
        <div className="soft">{t("points.rule", { version: entry.rule_version, rule: entry.rule ?? "" })}</div>
      </span>
      <span className="soft">{said.moment(entry.occurred_at)}</span>
    </div>
  );
}
