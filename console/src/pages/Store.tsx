// A store's counter, on a phone first: what a code is, whether it is good here, and what is done with it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Input, Tag } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSession } from "../app/session";
import { api, got, newName, Refusal, type Schemas } from "../api/client";
import { Pages } from "../parts/Pages";
import { Panel } from "../parts/Panel";
import { useSaid } from "../parts/said";
import { Failed, Nothing } from "../parts/Told";
import { Deeds, useDeeds, type Deed } from "../store/deeds";

type Coupon = Schemas["CounterCoupon"];
type Pickup = Schemas["CounterOrder"];
const WAITING = ["pickups"];

export default function Store() {
  const { t } = useTranslation();
  const { person_id, place } = useSession();
  const client = useQueryClient();
  const [text, setText] = useState("");
  const lookup = useMutation({
    mutationFn: (shown: string) => got(api.POST("/v1/store/lookup", { body: { text: shown } as never })),
    networkMode: "always",
  });
  const deeds = useMemo(
    () => new Deeds(`hub.counter.${person_id}`, () => void client.invalidateQueries({ queryKey: WAITING })),
    [client, person_id],
  );
  const waiting = useDeeds(deeds);
  const handedOver = new Set(waiting.map((one) => one.subject));
  const isUnreached = lookup.isError && !(lookup.error instanceof Refusal);
  const look = (shown: string) => shown.trim() && lookup.mutate(shown.trim());
  return (
    <>
      <div className="page-head">
        <h1>{t("counter.title")}</h1>
        <Tag>{place}</Tag>
      </div>
      <section className="panel">
        <Input.Search
          allowClear
          aria-label={t("counter.box")}
          autoFocus
          enterButton={t("counter.look")}
          loading={lookup.isPending}
          maxLength={1024}
          onChange={(event) => setText(event.target.value)}
          onSearch={look}
          placeholder={t("counter.example")}
          size="large"
          value={text}
        />
        {isUnreached && <Unreached code={text.trim()} deeds={deeds} key={lookup.submittedAt} />}
        {lookup.isError && !isUnreached && <Failed error={lookup.error} />}
        {lookup.data && !lookup.data.coupon && lookup.data.orders.length === 0 && <Nothing words={t("counter.none")} />}
        {lookup.data?.coupon && <Shown again={look} coupon={lookup.data.coupon} deeds={deeds} key={lookup.submittedAt} />}
        {lookup.data?.orders.map((one) => (
          <Order deeds={deeds} isGone={handedOver.has(one.order_id)} key={one.order_id} one={one} />
        ))}
      </section>
      {waiting.length > 0 && (
        <Panel title={t("counter.waiting")}>
          {waiting.map((one) => (
            <Waiting deed={one} deeds={deeds} key={one.name} />
          ))}
        </Panel>
      )}
      <div className="page-head">
        <h2>{t("counter.pickups")}</h2>
      </div>
      <Pages
        ask={(page) => got(api.GET("/v1/store/pickups", { params: { query: page } }))}
        idOf={(one: Pickup) => one.order_id}
        name={WAITING}
        none={t("counter.noPickups")}
      >
        {(one) => <Order deeds={deeds} isGone={handedOver.has(one.order_id)} one={one} />}
      </Pages>
    </>
  );
}

/** Nobody can be asked: what the clerk did is kept, and judged by its time. */
function Unreached({ code, deeds }: { code: string; deeds: Deeds }) {
  const { t } = useTranslation();
  const [isKept, setKept] = useState(false);
  // What a picture says is not its code: it is printed beside it.
  const isCode = !code.startsWith("HT1.");
  const keep = () => {
    deeds.redeemed(code);
    setKept(true);
  };
  return (
    <Alert
      action={
        !isKept &&
        isCode && (
          <Button onClick={keep} type="primary">
            {t("counter.redeemAnyway")}
          </Button>
        )
      }
      description={isKept ? t("counter.kept") : isCode ? t("counter.offlineWhy") : t("counter.typeCode")}
      showIcon
      title={t("counter.offline")}
      type="warning"
    />
  );
}

function Shown({ coupon, deeds, again }: { coupon: Coupon; deeds: Deeds; again: (code: string) => void }) {
  const { t } = useTranslation();
  const said = useSaid();
  const [name] = useState(newName);
  const redeem = useMutation({
    mutationFn: () => {
      const body = { code: coupon.code, token: coupon.token };
      return got(api.POST("/v1/store/redemptions", { body: body as never, params: { header: { "Idempotency-Key": name } } }));
    },
    networkMode: "always",
    onError: (error) => {
      // The line broke: whether it was done is not known, so it is told under the same name.
      if (!(error instanceof Refusal)) deeds.redeemed(coupon.code, name);
    },
  });
  const undo = useMutation({
    mutationFn: () => {
      const body = { code: coupon.code, redemption_id: name, reason: t("counter.undone") };
      return got(api.POST("/v1/store/reversals", { body: body as never, params: { header: { "Idempotency-Key": `undo-${name}` } } }));
    },
    onSuccess: () => again(coupon.code),
  });
  const obstacles = coupon.obstacles.filter((one) => one !== "platform_decides");
  const isUsable = obstacles.length === 0 && !redeem.isSuccess;
  const isKept = redeem.isError && !(redeem.error instanceof Refusal);
  return (
    <div className="counter">
      <p>
        <b>{t(`couponKind.${coupon.kind}`, { defaultValue: coupon.kind })}</b> <span className="mono">{coupon.code}</span>
        {coupon.face_value && ` · ${coupon.face_value} ${coupon.currency}`}
        {coupon.valid_until && <span className="soft"> · {t("counter.until", { at: said.moment(coupon.valid_until) })}</span>}
      </p>
      {isUsable && !isKept && <Alert showIcon title={t("counter.good")} type="success" />}
      {obstacles.map((one) => (
        <Alert key={one} showIcon title={t(`counter.obstacle.${one}`, { defaultValue: one })} type="error" />
      ))}
      {coupon.redemptions.map((use) => (
        <p className="soft" key={use.redemption_id}>
          {t("counter.used", { at: said.moment(use.redeemed_at), where: use.place ?? use.shop })}
          {use.reversed_at && ` · ${t("coupon.reversed")}`}
        </p>
      ))}
      {isUsable && !isKept && (
        <Button block loading={redeem.isPending} onClick={() => redeem.mutate()} size="large" type="primary">
          {t("counter.redeem")}
        </Button>
      )}
      {redeem.isSuccess && (
        <Alert
          action={
            <Button loading={undo.isPending} onClick={() => undo.mutate()}>
              {t("counter.undo")}
            </Button>
          }
          showIcon
          title={t("counter.redeemed")}
          type="success"
        />
      )}
      {isKept && <Alert description={t("counter.kept")} showIcon title={t("counter.offline")} type="warning" />}
      {redeem.isError && !isKept && (
        <>
          <Failed error={redeem.error} />
          <Button onClick={() => again(coupon.code)}>{t("counter.lookAgain")}</Button>
        </>
      )}
      {undo.isError && <Failed error={undo.error} />}
    </div>
  );
}

function Order({ one, deeds, isGone }: { one: Pickup; deeds: Deeds; isGone: boolean }) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <div className="row">
      <span className="grow">
        <b className="mono">{one.order_number}</b> <span className="soft">{said.channel(one.channel)}</span>
        {one.slot_from && <div className="soft">{t("counter.slot", { at: said.moment(one.slot_from) })}</div>}
        {one.lines.map((line) => (
          <div key={line.sku}>
            {line.name ?? line.sku} × {line.quantity}
          </div>
        ))}
        {one.obstacle && (
          <div className="soft">
            {t(`counter.obstacle.${one.obstacle}`, { defaultValue: one.obstacle })}
            {one.obstacle === "other_store" && ` ${one.place}`}
          </div>
        )}
      </span>
      {!one.obstacle && (
        <Button disabled={isGone} onClick={() => deeds.handedOver(one.order_id, one.order_number)} size="large" type="primary">
          {t("counter.handOver")}
        </Button>
      )}
    </div>
  );
}

function Waiting({ deed, deeds }: { deed: Deed; deeds: Deeds }) {
  const { t } = useTranslation();
  const said = useSaid();
  const isRegrettable = deed.kind === "handOver" && !deed.problem;
  return (
    <div className="row">
      <span className="grow">
        {t(`counter.deed.${deed.kind}`)} <b className="mono">{deed.title}</b>
        <div className="soft">{said.moment(deed.at)}</div>
        {deed.problem && <div role="alert">{t(`counter.obstacle.${deed.problem}`, { defaultValue: said.why(deed.problem) })}</div>}
      </span>
      <Tag color={deed.problem ? "red" : "gold"}>{deed.problem ? t("counter.notTaken") : t("counter.notTold")}</Tag>
      {(isRegrettable || deed.problem) && (
        <Button onClick={() => deeds.drop(deed.name)}>{deed.problem ? t("counter.seen") : t("counter.undo")}</Button>
      )}
    </div>
  );
}
