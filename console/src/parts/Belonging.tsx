// Who is one person: merge with another member after a preview, and undo a merge by its manifest.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "../app/session";
import { api, got, newName, type Schemas } from "../api/client";
import { find } from "./finding";
import { Panel } from "./Panel";
import { Reason } from "./Reason";
import { useSaid } from "./said";
import { Failed, Nothing, Told } from "./Told";

type Member = Schemas["Member"];
type Preview = Schemas["Preview"];
type Manifest = Schemas["Manifest"];

export function Belonging({ member }: { member: Member }) {
  const { t } = useTranslation();
  const may = useMay();
  const { member_id } = member;
  const [undone, setUndone] = useState<Manifest | null>(null);
  const [isMerging, setMerging] = useState(false);
  const asked = useQuery({
    queryKey: ["member", member_id, "merges"],
    queryFn: () => got(api.GET("/v1/members/{member_id}/merges", { params: { path: { member_id } } })),
  });
  const mayChange = may("members:write");
  const merge = mayChange && <Button onClick={() => setMerging(true)}>{t("merge.start")}</Button>;
  return (
    <Panel extra={merge} title={t("merge.title")}>
      <Told asked={asked}>
        {({ merges }) => (
          <>
            {merges.length === 0 && <Nothing words={t("merge.none")} />}
            {merges.map((one) => (
              <Made key={one.merge_id} one={one} onUndo={mayChange && one.kind === "merged" ? () => setUndone(one) : null} />
            ))}
          </>
        )}
      </Told>
      {isMerging && <Merging member_id={member_id} onEnd={() => setMerging(false)} />}
      {undone && <Undoing manifest={undone} member={member} onEnd={() => setUndone(null)} />}
    </Panel>
  );
}

function Made({ one, onUndo }: { one: Manifest; onUndo: (() => void) | null }) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <div className="row">
      <span className="grow">
        {t(`merge.${one.kind}`)}
        <div className="soft">{said.moment(one.merged_at)}</div>
      </span>
      {onUndo && (
        <Button onClick={onUndo} size="small">
          {t("merge.undo")}
        </Button>
      )}
    </div>
  );
}

function Merging({ member_id, onEnd }: { member_id: string; onEnd: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  const ended = useEnd(onEnd);
  const look = useMutation({
    mutationFn: async (wanted: string) => {
      const other = (await find(wanted)).find((hit) => hit.kind === "member" && hit.id !== member_id);
      if (!other) return null;
      const body = { member_ids: [member_id, other.id] } as never;
      return { other_id: other.id, preview: await got(api.POST("/v1/members/merge-preview", { body })) };
    },
  });
  const merge = useMutation({
    mutationFn: (other_id: string) =>
      got(
        api.POST("/v1/members/{member_id}/merge", {
          params: { path: { member_id }, header: { "Idempotency-Key": newName() } },
          body: { other_id, reason } as never,
        }),
      ),
    onSuccess: ended,
  });
  const found = look.data;
  return (
    <Modal
      cancelText={t("ask.cancel")}
      // Within the page: the lock of what is behind would be a style without the page's nonce.
      getContainer={false}
      confirmLoading={merge.isPending}
      okButtonProps={{ disabled: !found || !reason.trim() }}
      okText={t("merge.confirm")}
      onCancel={onEnd}
      onOk={() => found && merge.mutate(found.other_id)}
      open
      title={t("merge.start")}
    >
      <div className="stack">
        <Input.Search
          aria-label={t("merge.other")}
          enterButton={t("merge.preview")}
          loading={look.isPending}
          onChange={(event) => setText(event.target.value)}
          onSearch={(wanted) => wanted.trim() && look.mutate(wanted.trim())}
          placeholder={t("merge.other")}
          value={text}
        />
        {look.isError && <Failed error={look.error} />}
        {found === null && <Nothing words={t("merge.nobody")} />}
        {found && <Brought preview={found.preview} />}
        <Reason onChange={setReason} value={reason} />
        {merge.isError && <Failed error={merge.error} />}
      </div>
    </Modal>
  );
}

function Brought({ preview }: { preview: Preview }) {
  const { t } = useTranslation();
  return (
    <div>
      {preview.members.map((share) => (
        <div className="row" key={share.member_id}>
          <span className="grow mono">{share.member_id.slice(0, 8)}</span>
          <span>{t("merge.share", { points: share.points, coupons: share.coupons, orders: share.orders })}</span>
        </div>
      ))}
      <div className="row">
        <b className="grow">{t("merge.together", { points: preview.points })}</b>
      </div>
      {preview.conflicts.map((one) => (
        <Alert key={one.kind + one.about} showIcon title={t(`merge.conflict.${one.kind}`, { about: one.about })} type="warning" />
      ))}
    </div>
  );
}

function Undoing({ manifest, member, onEnd }: { manifest: Manifest; member: Member; onEnd: () => void }) {
  const { t } = useTranslation();
  const said = useSaid();
  const { member_id } = member;
  const nameOf = (id: string) => {
    const profile = member.profiles.find((one) => one.profile_id === id);
    return profile ? `${said.channel(profile.channel)} ${profile.account ?? ""}` : id.slice(0, 8);
  };
  const [reason, setReason] = useState("");
  const ended = useEnd(onEnd);
  const split = useMutation({
    mutationFn: () =>
      got(
        api.POST("/v1/members/{member_id}/split", {
          params: { path: { member_id }, header: { "Idempotency-Key": newName() } },
          body: { merge_id: manifest.merge_id, reason } as never,
        }),
      ),
    onSuccess: ended,
  });
  return (
    <Modal
      cancelText={t("ask.cancel")}
      // Within the page: the lock of what is behind would be a style without the page's nonce.
      getContainer={false}
      confirmLoading={split.isPending}
      okButtonProps={{ disabled: !reason.trim() }}
      okText={t("merge.undoConfirm")}
      onCancel={onEnd}
      onOk={() => split.mutate()}
      open
      title={t("merge.undo")}
    >
      <div className="stack">
        <span>{t("merge.becomes")}</span>
        <div>
          {Object.entries(manifest.members_before).map(([before, profiles]) => (
            <div className="row" key={before}>
              <span className="grow">{profiles.map(nameOf).join(" · ")}</span>
              <span className="soft mono">{before.slice(0, 8)}</span>
            </div>
          ))}
        </div>
        <Reason onChange={setReason} value={reason} />
        {split.isError && <Failed error={split.error} />}
      </div>
    </Modal>
  );
}

/** Say that it is done, read everything of members anew, and close. */
function useEnd(onEnd: () => void): () => void {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const client = useQueryClient();
  return () => {
    void message.success(t("ask.done"));
    void client.invalidateQueries({ queryKey: ["member"] });
    onEnd();
  };
}
