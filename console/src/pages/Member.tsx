// A customer's portrait: who it is and by what proof, what it holds and why, and what happened.
import { useQuery } from "@tanstack/react-query";
import { Tag } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { useMay } from "../app/session";
import { api, got, type Schemas } from "../api/client";
import { Balance } from "../parts/Balance";
import { Belonging } from "../parts/Belonging";
import { Figure, Panel } from "../parts/Panel";
import { Path } from "../parts/Path";
import { colourOf, useSaid } from "../parts/said";
import { Nothing, Told } from "../parts/Told";

export default function Member({ params }: { params: { id: string } }) {
  const { t } = useTranslation();
  const may = useMay();
  const member_id = params.id;
  const path = { member_id };
  const asked = useQuery({
    queryKey: ["member", member_id],
    queryFn: () => got(api.GET("/v1/members/{member_id}", { params: { path } })),
  });
  const read = (cursor: string | null) =>
    got(api.GET("/v1/members/{member_id}/timeline", { params: { path, query: cursor ? { cursor } : {} } }));
  return (
    <Told asked={asked}>
      {(member) => (
        <>
          <div className="page-head">
            <h1>{t("member.title")}</h1>
            <span className="soft mono">{member.member_id}</span>
            {member.tiers.map((tier) => (
              <Tag color="gold" key={tier.scheme}>
                {tier.level ?? t("member.noLevel")}
              </Tag>
            ))}
          </div>
          <Balance member_id={member_id} />
          <div className="columns">
            <div>
              {may("orders:read") && <Orders member_id={member_id} />}
              {may("coupons:read") && <Coupons member_id={member_id} />}
              <Panel title={t("path.title")}>
                <Path name={["member", member_id]} read={read} />
              </Panel>
            </div>
            <div>
              <Identities member_id={member_id} />
              <Profiles member={member} />
              <Consents member={member} />
              <Belonging member={member} />
            </div>
          </div>
        </>
      )}
    </Told>
  );
}

function Orders({ member_id }: { member_id: string }) {
  const { t } = useTranslation();
  const said = useSaid();
  const asked = useQuery({
    queryKey: ["member", member_id, "orders"],
    queryFn: () => got(api.GET("/v1/members/{member_id}/orders", { params: { path: { member_id } } })),
  });
  return (
    <Panel title={t("member.orders")}>
      <Told asked={asked}>
        {({ items }) => (
          <>
            {items.length === 0 && <Nothing words={t("member.noOrders")} />}
            {items.map((order) => (
              <div className="row" key={order.order_id}>
                <span className="grow">
                  <Link href={`/orders/${order.order_id}`}>{order.order_number}</Link>
                  <div className="soft">
                    {said.channel(order.channel)} · {said.moment(order.placed_at)}
                  </div>
                </span>
                <Tag color={colourOf(order.status)}>{said.state(order.status)}</Tag>
                <span className="number">{order.total ? `${order.total} ${order.currency}` : ""}</span>
              </div>
            ))}
          </>
        )}
      </Told>
    </Panel>
  );
}

function Coupons({ member_id }: { member_id: string }) {
  const { t } = useTranslation();
  const said = useSaid();
  const asked = useQuery({
    queryKey: ["member", member_id, "coupons"],
    queryFn: () => got(api.GET("/v1/members/{member_id}/coupons", { params: { path: { member_id } } })),
  });
  return (
    <Panel title={t("member.coupons")}>
      <Told asked={asked}>
        {({ items }) => (
          <>
            {items.length === 0 && <Nothing words={t("member.noCoupons")} />}
            {items.map((coupon) => (
              <div className="row" key={coupon.coupon_id}>
                <span className="grow">
                  <Link href={`/coupons/${encodeURIComponent(coupon.code)}`}>{coupon.code}</Link>
                  <div className="soft">{coupon.valid_until ? t("member.until", { at: said.moment(coupon.valid_until) }) : t("said.noEnd")}</div>
                </span>
                {coupon.is_claimable && <Tag color="gold">{t("member.claimable")}</Tag>}
                <Tag color={colourOf(coupon.status)}>{said.state(coupon.status)}</Tag>
              </div>
            ))}
          </>
        )}
      </Told>
    </Panel>
  );
}

function Identities({ member_id }: { member_id: string }) {
  const { t } = useTranslation();
  const said = useSaid();
  const asked = useQuery({
    queryKey: ["member", member_id, "identifiers"],
    queryFn: () => got(api.GET("/v1/members/{member_id}/identifiers", { params: { path: { member_id } } })),
  });
  return (
    <Panel title={t("member.identities")}>
      <Told asked={asked}>
        {({ items }) => (
          <>
            {items.length === 0 && <Nothing words={t("member.noIdentities")} />}
            {items.map((one, index) => (
              <div className="row" key={index}>
                <span className="grow">
                  {t(`identifier.${one.type}`)} <span className="mono">{one.value}</span>
                  <div className="soft">
                    {said.channel(one.channel)} · {said.moment(one.valid_from)}
                    {one.valid_to && ` → ${said.moment(one.valid_to)}`}
                  </div>
                </span>
                <Tag color={colourOf(one.proof)}>{said.state(one.proof)}</Tag>
              </div>
            ))}
          </>
        )}
      </Told>
    </Panel>
  );
}

function Profiles({ member }: { member: Schemas["Member"] }) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <Panel title={t("member.accounts")}>
      {member.profiles.map((profile) => (
        <div className="row" key={profile.profile_id}>
          <span className="grow">
            <span className="mono">{profile.account}</span> {profile.name}
            <div className="soft">{said.moment(profile.registered_at ?? profile.first_seen_at)}</div>
          </span>
          <span className="soft">{said.channel(profile.channel)}</span>
        </div>
      ))}
      {member.attributes.length > 0 && (
        <div className="figures">
          {member.attributes.map((one) => (
            <Figure key={one.name} name={t(`attribute.${one.name}`, { defaultValue: one.name })} value={one.value} />
          ))}
        </div>
      )}
    </Panel>
  );
}

function Consents({ member }: { member: Schemas["Member"] }) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <Panel title={t("member.consents")}>
      {member.consents.length === 0 && <Nothing words={t("member.noConsents")} />}
      {member.consents.map((one, index) => (
        <div className="row" key={index}>
          <span className="grow">
            {t(`purpose.${one.purpose}`, { defaultValue: one.purpose })} · {t(`medium.${one.medium}`, { defaultValue: one.medium })}
            <div className="soft">
              {said.channel(one.channel)} · {said.moment(one.changed_at)}
            </div>
          </span>
          <Tag color={one.is_granted ? "green" : "red"}>{said.state(one.is_granted ? "granted" : "denied")}</Tag>
        </div>
      ))}
    </Panel>
  );
}
