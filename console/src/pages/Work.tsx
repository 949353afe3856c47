// The work queue: what needs a person, the oldest first.
import { Segmented, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { useSession } from "../app/session";
import { api, got, type Schemas } from "../api/client";
import { Pages } from "../parts/Pages";
import { useSaid } from "../parts/said";

type View = "open" | "mine" | "closed";

export default function Work() {
  const { t } = useTranslation();
  const [view, setView] = useState<View>("open");
  const { person_id } = useSession();
  const state = view === "closed" ? "closed" : "open";
  const wanted = { state, ...(view === "mine" ? { assignee: person_id } : {}) } as const;
  return (
    <>
      <div className="page-head">
        <h1>{t("work.title")}</h1>
        <Segmented<View>
          onChange={setView}
          options={[
            { value: "open", label: t("work.open") },
            { value: "mine", label: t("work.mine") },
            { value: "closed", label: t("work.closed") },
          ]}
          value={view}
        />
      </div>
      <Pages
        ask={(page) => got(api.GET("/v1/cases", { params: { query: { ...wanted, ...page } } }))}
        idOf={(one: Schemas["CaseHead"]) => one.case_id}
        name={["cases", view]}
        none={view === "closed" ? t("work.noneClosed") : t("work.none")}
      >
        {(one) => <Head one={one} />}
      </Pages>
    </>
  );
}

function Head({ one }: { one: Schemas["CaseHead"] }) {
  const { t, i18n } = useTranslation();
  const said = useSaid();
  const isLate = one.state === "open" && one.due_at !== null && new Date(one.due_at) < new Date();
  return (
    <div className="row">
      <span className="grow">
        <Link href={`/work/${one.case_id}`}>{i18n.language === "en" ? one.title : one.title_zh}</Link>
        <div className="soft">{t("work.since", { at: said.moment(one.opened_at) })}</div>
      </span>
      {one.due_at && <Tag color={isLate ? "red" : "default"}>{t("work.due", { at: said.moment(one.due_at) })}</Tag>}
      {one.priority !== "normal" && <Tag color={one.priority === "high" ? "red" : "default"}>{t(`priority.${one.priority}`)}</Tag>}
      <span className="soft">{one.assignee ?? t("work.nobody")}</span>
    </div>
  );
}
