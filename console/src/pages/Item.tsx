// An item: where it lies, and what of it can be sold.
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, got, type Schemas } from "../api/client";
import { Figure, Panel } from "../parts/Panel";
import { useSaid } from "../parts/said";
import { Nothing, Told } from "../parts/Told";

export default function Item({ params }: { params: { sku: string } }) {
  const { t } = useTranslation();
  const sku = decodeURIComponent(params.sku);
  const asked = useQuery({
    queryKey: ["stock", sku],
    queryFn: () => got(api.GET("/v1/stock/{sku}", { params: { path: { sku } } })),
    refetchInterval: 10_000,
  });
  return (
    <Told asked={asked}>
      {(item) => (
        <>
          <div className="page-head">
            <h1>{item.name ?? item.sku}</h1>
            <span className="soft mono">{item.sku}</span>
          </div>
          {item.items.length === 0 && <Nothing words={t("item.nowhere")} />}
          {item.items.map((position) => (
            <Position key={position.place} position={position} />
          ))}
        </>
      )}
    </Told>
  );
}

function Position({ position }: { position: Schemas["Position"] }) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <Panel title={position.place_name ?? position.place}>
      <div className="figures">
        <Figure name={t("item.available")} value={position.available} />
        <Figure name={t("item.onHand")} value={position.on_hand} />
        <Figure name={t("item.committed")} value={position.committed} />
        <Figure name={t("item.reserved")} value={position.reserved} />
        <Figure name={t("item.unavailable")} value={position.unavailable} />
        <Figure name={t("item.incoming")} value={position.incoming} />
      </div>
      <p className="soft">{t("item.counted", { at: said.moment(position.counted_at) })}</p>
    </Panel>
  );
}
