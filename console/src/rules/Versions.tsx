// The versions of a rule: who, when, why; and the way back to one.
import { Button, Tag } from "antd";
import { useTranslation } from "react-i18next";
import { useMay } from "../app/session";
import { Panel } from "../parts/Panel";
import { useSaid } from "../parts/said";
import { Nothing } from "../parts/Told";
import type { Version } from "./asking";

interface Given {
  versions: Version[];
  onRollBack: (version: number) => void;
  onLoad: (version: Version) => void;
}

export function Versions({ versions, onRollBack, onLoad }: Given) {
  const { t } = useTranslation();
  const may = useMay();
  const said = useSaid();
  const newest = versions.at(-1);
  return (
    <Panel title={t("rule.versions")}>
      {versions.length === 0 && <Nothing words={t("rule.noVersions")} />}
      {[...versions].reverse().map((one) => (
        <div className="row" key={one.version}>
          <b>{t("rule.version", { number: one.version })}</b>
          <span className="grow">
            <span>{one.reason}</span>
            <div className="soft">
              {one.by} · {said.moment(one.published_at)}
            </div>
          </span>
          <Tag color={one === newest && one.status === "published" ? "green" : "default"}>
            {t(`rule.status.${one.status}`)}
          </Tag>
          <Button onClick={() => onLoad(one)} size="small">
            {t("rule.load")}
          </Button>
          {may("rules:write") && one !== newest && (
            <Button onClick={() => onRollBack(one.version)} size="small">
              {t("rule.rollBack")}
            </Button>
          )}
        </div>
      ))}
    </Panel>
  );
}
