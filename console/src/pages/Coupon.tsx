// A coupon: whose, how long, and what became of each use.
import { useQuery } from "@tanstack/react-query";
import { Tag } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { api, got, type Schemas } from "../api/client";
import { Figure, Panel } from "../parts/Panel";
import { colourOf, useSaid } from "../parts/said";
import { Nothing, Told } from "../parts/Told";

export default function Coupon({ params }: { params: { code: string } }) {
  const code = decodeURIComponent(params.code);
  const asked = useQuery({
    queryKey: ["coupon", code],
    queryFn: () => got(api.GET("/v1/coupons/{code}", { params: { path: { code } } })),
  });
  return <Told asked={asked}>{(coupon) => <Whole coupon={coupon} />}</Told>;
}

function Whole({ coupon }: { coupon: Schemas["Coupon"] }) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <>
      <div className="page-head">
        <h1>{t("coupon.title", { code: coupon.code })}</h1>
        <Tag color={colourOf(coupon.status)}>{said.state(coupon.status)}</Tag>
        {coupon.member_id && <Link href={`/members/${coupon.member_id}`}>{t("coupon.whose")}</Link>}
      </div>
      <section className="panel figures">
        <Figure name={t("coupon.uses")} value={`${coupon.uses_redeemed} / ${coupon.uses_total}`} />
        <Figure name={t("coupon.worth")} value={coupon.face_value ? `${coupon.face_value} ${coupon.currency}` : t("said.never")} />
        <Figure name={t("coupon.from")} value={<small>{said.moment(coupon.valid_from)}</small>} />
        <Figure name={t("coupon.until")} value={<small>{said.moment(coupon.valid_until)}</small>} />
      </section>
      <Panel title={t("coupon.redemptions")}>
        {coupon.redemptions.length === 0 && <Nothing words={t("coupon.unused")} />}
        {coupon.redemptions.map((use) => (
          <div className="row" key={use.redemption_id}>
            <span className="soft step-at">{said.moment(use.redeemed_at)}</span>
            <span className="grow">
              {use.place ?? use.shop}
              {use.order_number && <span className="mono"> {use.order_number}</span>}
              {use.refusal && <div className="soft">{t("path.because", { reason: said.why(use.refusal) })}</div>}
            </span>
            <span className="soft">{said.channel(use.channel)}</span>
            {use.reversed_at && <Tag>{t("coupon.reversed")}</Tag>}
            <Tag color={use.is_accepted ? "green" : "red"}>{said.state(use.is_accepted ? "accepted" : "refused")}</Tag>
          </div>
        ))}
      </Panel>
    </>
  );
}
