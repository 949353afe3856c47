// Stock of all items as it changes: what can be sold where, who is still to be told, what was oversold.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Checkbox, Input, Tag } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { api, got, type Schemas } from "../api/client";
import { Pages } from "../parts/Pages";
import { Panel } from "../parts/Panel";
import { useSaid } from "../parts/said";
import { Nothing, Told } from "../parts/Told";

type Position = Schemas["BoardPosition"];
type Receiver = Schemas["Receiver"];
const BOARD = "stock-board";
/** Many changes at once are read together. */
const GATHER_MS = 300;
const FLASH_MS = 1_500;

export default function Stock() {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [isShort, setShort] = useState(false);
  const changed = useChanges();
  const wanted = { ...(text ? { text } : {}), is_short: isShort };
  const receivers = useQuery({
    queryKey: [BOARD, "receivers"],
    queryFn: () => got(api.GET("/v1/stock", { params: { query: { limit: 1 } } })),
    refetchInterval: 5_000,
  });
  const known = new Map(receivers.data?.receivers.map((one) => [one.subscription_id, one]));
  return (
    <>
      <div className="page-head">
        <h1>{t("board.title")}</h1>
      </div>
      <Told asked={receivers}>
        {(board) => (
          <Panel title={t("board.receivers")}>
            {board.receivers.length === 0 && <Nothing words={t("board.noReceivers")} />}
            {board.receivers.map((one) => (
              <Reached key={one.subscription_id} one={one} />
            ))}
          </Panel>
        )}
      </Told>
      <div className="page-head">
        <Input.Search
          allowClear
          aria-label={t("board.box")}
          maxLength={64}
          onSearch={(sought) => setText(sought.trim())}
          placeholder={t("board.box")}
          style={{ maxWidth: 320 }}
        />
        <Checkbox checked={isShort} onChange={(event) => setShort(event.target.checked)}>
          {t("board.short")}
        </Checkbox>
      </div>
      <Pages
        ask={(page) => got(api.GET("/v1/stock", { params: { query: { ...wanted, ...page } } }))}
        idOf={(one: Position) => `${one.sku} ${one.place}`}
        name={[BOARD, text, isShort]}
        none={t("board.none")}
      >
        {(one) => <Row isNew={changed.has(`${one.sku} ${one.place}`)} known={known} one={one} />}
      </Pages>
    </>
  );
}

function Reached({ one }: { one: Receiver }) {
  const { t } = useTranslation();
  const said = useSaid();
  const seconds = one.told_at ? Math.max(0, Math.round((Date.now() - new Date(one.told_at).getTime()) / 1000)) : null;
  return (
    <div className="row">
      <span className="grow">
        {one.channel ? said.channel(one.channel) : t("delivery.house")} · {one.label}
        <div className="soft">
          {seconds === null ? t("board.never") : seconds < 3600 ? t("board.told", { count: seconds }) : t("board.toldAt", { at: said.moment(one.told_at) })}
        </div>
      </span>
      <Tag color={one.waiting > 0 ? "gold" : "green"}>{one.waiting > 0 ? t("board.waiting", { count: one.waiting }) : t("board.upToDate")}</Tag>
    </div>
  );
}

function Row({ one, known, isNew }: { one: Position; known: Map<string, Receiver>; isNew: boolean }) {
  const { t } = useTranslation();
  const said = useSaid();
  const awaited = one.awaited_by.map((id) => known.get(id)?.channel).filter((name) => name !== undefined);
  return (
    <div className={isNew ? "row fresh" : "row"}>
      <span className="grow">
        <Link href={`/items/${encodeURIComponent(one.sku)}`}>{one.name ?? one.sku}</Link>
        <span className="soft"> {one.place_name ?? one.place}</span>
        <div className="soft">
          {t("board.parts", { on_hand: one.on_hand, committed: one.committed, reserved: one.reserved, incoming: one.incoming, allotted: one.allotted })}
        </div>
        {awaited.length > 0 && (
          <div className="soft">{t("board.awaited", { who: awaited.map((name) => (name ? said.channel(name) : t("delivery.house"))).join("、") })}</div>
        )}
      </span>
      {one.case_id && (
        <Link href={`/work/${one.case_id}`}>
          <Tag color="red">{t("board.oversold")}</Tag>
        </Link>
      )}
      <b className="number">{one.available}</b>
    </div>
  );
}

/** Positions that changed a moment ago; the board is read anew when one does. */
function useChanges(): Set<string> {
  const client = useQueryClient();
  const [fresh, setFresh] = useState<Set<string>>(new Set());
  useEffect(() => {
    const stream = new EventSource("/v1/stock/stream");
    let gathering: ReturnType<typeof setTimeout> | undefined;
    let fading: ReturnType<typeof setTimeout> | undefined;
    let gathered = new Set<string>();
    const show = async () => {
      gathering = undefined;
      const now = gathered;
      gathered = new Set();
      await client.invalidateQueries({ queryKey: [BOARD] });
      setFresh(now);
      clearTimeout(fading);
      fading = setTimeout(() => setFresh(new Set()), FLASH_MS);
    };
    stream.addEventListener("stock.changed", (event) => {
      const { sku, place } = JSON.parse((event as MessageEvent<string>).data) as { sku: string; place: string };
      gathered.add(`${sku} ${place}`);
      gathering ??= setTimeout(() => void show(), GATHER_MS);
    });
    return () => {
      stream.close();
      clearTimeout(gathering);
      clearTimeout(fading);
    };
  }, [client]);
  return fresh;
}
