// What was asked of the hub: on its way, refused, or there.
import type { UseQueryResult } from "@tanstack/react-query";
import { Alert, Button, Empty, Skeleton } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Refusal } from "../api/client";

export function Told<T>({ asked, children }: { asked: UseQueryResult<T>; children: (found: T) => ReactNode }) {
  if (asked.isPending) return <Skeleton active title={false} />;
  if (asked.isError) return <Failed error={asked.error} again={() => void asked.refetch()} />;
  return <>{children(asked.data)}</>;
}

export function Failed({ error, again }: { error: unknown; again?: () => void }) {
  const { t } = useTranslation();
  const isWord = error instanceof Refusal;
  const faults = isWord ? error.faults.map((one) => `${one.field}: ${one.reason}`) : [];
  return (
    <Alert
      action={
        again && (
          <Button onClick={again} size="small">
            {t("problem.again")}
          </Button>
        )
      }
      description={isWord ? [error.detail, ...faults].filter(Boolean).join(" ") : t("problem.tryAgain")}
      showIcon
      title={isWord ? error.message : t("problem.unreachable")}
      type="error"
    />
  );
}

export function Nothing({ words }: { words: string }) {
  return <Empty description={words} image={Empty.PRESENTED_IMAGE_SIMPLE} />;
}
