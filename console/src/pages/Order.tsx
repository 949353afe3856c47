// An order: what it is, and its path over all systems.
import { useQuery } from "@tanstack/react-query";
import { Tag } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { api, got, type Schemas } from "../api/client";
import { Figure, Panel } from "../parts/Panel";
import { Path } from "../parts/Path";
import { colourOf, useSaid } from "../parts/said";
import { Told } from "../parts/Told";

export default function Order({ params }: { params: { id: string } }) {
  const { t } = useTranslation();
  const order_id = params.id;
  const asked = useQuery({
    queryKey: ["order", order_id],
    queryFn: () => got(api.GET("/v1/orders/{order_id}", { params: { path: { order_id } } })),
  });
  return (
    <>
      <Told asked={asked}>{(order) => <Whole order={order} />}</Told>
      <Panel title={t("path.title")}>
        <Path
          name={["order", order_id]}
          read={(cursor) =>
            got(
              api.GET("/v1/orders/{order_id}/timeline", {
                params: { path: { order_id }, query: cursor ? { cursor } : {} },
              }),
            )
          }
        />
      </Panel>
    </>
  );
}

function Whole({ order }: { order: Schemas["Order"] }) {
  const { t } = useTranslation();
  const said = useSaid();
  const sum = (amount: string | null) => (amount === null ? t("said.never") : `${amount} ${order.currency}`);
  return (
    <>
      <div className="page-head">
        <h1>{t("order.title", { number: order.order_number })}</h1>
        <span className="soft">{said.channel(order.channel)}</span>
        <Tag color={colourOf(order.status)}>{said.state(order.status)}</Tag>
        {order.member_id && <Link href={`/members/${order.member_id}`}>{t("order.whose")}</Link>}
      </div>
      <section className="panel figures">
        <Figure name={t("order.total")} value={sum(order.total)} />
        <Figure name={t("order.paid")} value={sum(order.paid)} />
        <Figure name={t("order.refunded")} value={sum(order.refunded)} />
        <Figure name={t("order.payment")} value={said.state(order.payment_status)} />
        <Figure name={t("order.fulfilment")} value={said.state(order.fulfilment_status)} />
        <Figure name={t("order.placed")} value={<small>{said.moment(order.placed_at)}</small>} />
      </section>
      <Panel title={t("order.lines")}>
        {order.lines.map((line) => (
          <div className="row" key={line.line}>
            <span className="grow">
              <Link href={`/items/${encodeURIComponent(line.sku)}`}>{line.name ?? line.sku}</Link>
              <span className="soft mono"> {line.sku}</span>
            </span>
            <span className="number">× {line.quantity}</span>
            <span className="number">{sum(line.total)}</span>
          </div>
        ))}
        {order.refunds?.map((refund) => (
          <div className="row" key={refund.refund_id}>
            <span className="grow">{t("order.refund", { id: refund.refund_id })}</span>
            <Tag color={colourOf(refund.status)}>{said.state(refund.status)}</Tag>
            <span className="number">{sum(refund.amount)}</span>
          </div>
        ))}
      </Panel>
    </>
  );
}
