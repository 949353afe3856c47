// The work queue: what needs a person, the oldest first.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Button, Segmented, Skeleton, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { useSession } from "../app/session";
import { api, got, type Schemas } from "../api/client";
import { useSaid } from "../parts/said";
import { Failed, Nothing } from "../parts/Told";

type View = "open" | "mine" | "closed";

export default function Work() {
  const { t } = useTranslation();
  const [view, setView] = useState<View>("open");
  const { person_id } = useSession();
  const cases = useInfiniteQuery({
    queryKey: ["cases", view],
    queryFn: ({ pageParam }) =>
      got(
        api.GET("/v1/cases", {
          params: {
            query: {
              state: view === "closed" ? "closed" : "open",
              ...(view === "mine" ? { assignee: person_id } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
  const found = cases.data?.pages.flatMap((page) => page.items) ?? [];
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
      <section className="panel">
        {cases.isPending && <Skeleton active title={false} />}
        {cases.isError && <Failed error={cases.error} again={() => void cases.refetch()} />}
        {cases.isSuccess && found.length === 0 && <Nothing words={view === "closed" ? t("work.noneClosed") : t("work.none")} />}
        {found.map((one) => (
          <Head key={one.case_id} one={one} />
        ))}
        {cases.hasNextPage && (
          <Button block loading={cases.isFetchingNextPage} onClick={() => void cases.fetchNextPage()}>
            {t("path.more")}
          </Button>
        )}
      </section>
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
