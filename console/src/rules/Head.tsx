// What can be done with a rule that is published: pause it, let it run again, put it away.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App, Button, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, got, newName } from "../api/client";
import { Reason } from "../parts/Reason";
import { Failed } from "../parts/Told";

export type Doing = { what: "pause" | "resume" | "archive" } | { what: "rollback"; version: number };

/** Asks for the reason, then does it. */
export function Ask({ name, doing, onEnd }: { name: string; doing: Doing; onEnd: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const done = useMutation({
    mutationFn: () => {
      const params = { path: { name }, header: { "Idempotency-Key": newName() } };
      if (doing.what === "rollback") {
        return got(api.POST("/v1/rules/{name}/rollback", { params, body: { reason, version: doing.version } as never }));
      }
      return got(api.POST(`/v1/rules/{name}/${doing.what}`, { params, body: { reason } as never }));
    },
    onSuccess() {
      void message.success(t("ask.done"));
      void client.invalidateQueries({ queryKey: ["rule", name] });
      void client.invalidateQueries({ queryKey: ["rules"] });
      onEnd();
    },
  });
  return (
    <Modal
      cancelText={t("ask.cancel")}
      confirmLoading={done.isPending}
      getContainer={false}
      okButtonProps={{ disabled: !reason.trim() }}
      okText={t(`rule.ask.${doing.what}`)}
      onCancel={onEnd}
      onOk={() => done.mutate()}
      open
      title={t(`rule.ask.${doing.what}`)}
    >
      <div className="stack">
        <Reason onChange={setReason} value={reason} />
        {done.isError && <Failed error={done.error} />}
      </div>
    </Modal>
  );
}

export function Doings({ status, onAsk }: { status: string; onAsk: (doing: Doing) => void }) {
  const { t } = useTranslation();
  return (
    <>
      {status === "published" && <Button onClick={() => onAsk({ what: "pause" })}>{t("rule.ask.pause")}</Button>}
      {status !== "published" && <Button onClick={() => onAsk({ what: "resume" })}>{t("rule.ask.resume")}</Button>}
      {status !== "archived" && <Button onClick={() => onAsk({ what: "archive" })}>{t("rule.ask.archive")}</Button>}
    </>
  );
}
