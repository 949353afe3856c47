// A list that the hub hands out page by page, looked at again now and then.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Button, Skeleton } from "antd";
import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Failed, Nothing } from "./Told";

const AGAIN_EVERY_MS = 15_000;

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

interface Asked<T> {
  name: unknown[];
  ask: (page: { cursor?: string }) => Promise<Page<T>>;
  idOf: (one: T) => string;
  none: string;
  children: (one: T) => ReactNode;
}

export function Pages<T>({ name, ask, idOf, none, children }: Asked<T>) {
  const { t } = useTranslation();
  const pages = useInfiniteQuery({
    queryKey: name,
    queryFn: ({ pageParam }) => ask(pageParam ? { cursor: pageParam } : {}),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_EVERY_MS,
  });
  const found = pages.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section className="panel">
      {pages.isPending && <Skeleton active title={false} />}
      {pages.isError && <Failed error={pages.error} again={() => void pages.refetch()} />}
      {pages.isSuccess && found.length === 0 && <Nothing words={none} />}
      {found.map((one) => (
        <Fragment key={idOf(one)}>{children(one)}</Fragment>
      ))}
      {pages.hasNextPage && (
        <Button block loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {t("path.more")}
        </Button>
      )}
    </section>
  );
}
