// The path of an object over all systems: what came, and what the hub made of it; newest first.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Skeleton, Tag } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { Schemas } from "../api/client";
import { colourOf, useSaid } from "./said";
import { Failed, Nothing } from "./Told";

type Happening = Schemas["Happening"];
interface Page {
  items: Happening[];
  next_cursor: string | null;
}

export function Path({ name, read }: { name: string[]; read: (cursor: string | null) => Promise<Page> }) {
  const { t } = useTranslation();
  const pages = useInfiniteQuery({
    queryKey: [...name, "path"],
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  });
  if (pages.isPending) return <Skeleton active title={false} />;
  if (pages.isError) return <Failed error={pages.error} again={() => void pages.refetch()} />;
  const items = pages.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Nothing words={t("path.none")} />;
  return (
    <>
      {items.map((one, index) => (
        <Step key={index} one={one} />
      ))}
      {pages.hasNextPage && (
        <Button block loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {t("path.more")}
        </Button>
      )}
    </>
  );
}

function Step({ one }: { one: Happening }) {
  const said = useSaid();
  const { t } = useTranslation();
  return (
    <div className="row">
      <span className="soft step-at">{said.moment(one.occurred_at)}</span>
      <span className="grow">
        {one.object_kind === "order" ? <Link href={`/orders/${one.object_id}`}>{said.event(one.type)}</Link> : said.event(one.type)}
        {one.reason && <div className="soft">{t("path.because", { reason: said.why(one.reason) })}</div>}
      </span>
      <span className="soft">{said.channel(one.channel)}</span>
      <Tag color={colourOf(one.outcome)}>{said.state(one.outcome)}</Tag>
    </div>
  );
}
