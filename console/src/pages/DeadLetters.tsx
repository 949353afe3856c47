// Records that could not be taken: why, their bytes for who may see them, and sending them again.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Modal, Segmented, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "../app/session";
import { api, got, type Schemas } from "../api/client";
import { Pages } from "../parts/Pages";
import { useSaid } from "../parts/said";
import { Failed, Told } from "../parts/Told";

type State = "open" | "redriven";
type Letter = Schemas["Letter"];

export default function DeadLetters() {
  const { t } = useTranslation();
  const [state, setState] = useState<State>("open");
  return (
    <>
      <div className="page-head">
        <h1>{t("letter.title")}</h1>
        <Segmented<State>
          onChange={setState}
          options={[
            { value: "open", label: t("letter.open") },
            { value: "redriven", label: t("letter.redriven") },
          ]}
          value={state}
        />
      </div>
      <p className="soft">{t("letter.what")}</p>
      <Pages
        ask={(page) => got(api.GET("/v1/dead-letters", { params: { query: { state, ...page } } }))}
        idOf={(one: Letter) => one.dead_letter_id}
        name={["letters", state]}
        none={state === "open" ? t("letter.none") : t("letter.noneRedriven")}
      >
        {(one) => <Row one={one} />}
      </Pages>
    </>
  );
}

function Row({ one }: { one: Letter }) {
  const { t } = useTranslation();
  const said = useSaid();
  const may = useMay();
  const client = useQueryClient();
  const [isShown, setShown] = useState(false);
  const again = useMutation({
    mutationFn: () =>
      got(api.POST("/v1/dead-letters/{dead_letter_id}/redrive", { params: { path: { dead_letter_id: one.dead_letter_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["letters"] }),
  });
  return (
    <div className="row">
      <span className="grow">
        <div>{one.reason}</div>
        <div className="soft mono">{[one.field, one.type, one.source, one.event_id].filter(Boolean).join(" · ")}</div>
        <div className="soft">
          {said.moment(one.received_at)} · {one.topic} {one.partition}/{one.kafka_offset}
          {one.redriven_by && ` · ${t("letter.by", { who: one.redriven_by, at: said.moment(one.redriven_at) })}`}
        </div>
        {again.isError && <Failed error={again.error} />}
      </span>
      <Tag color="red">{t(`reasonCode.${one.reason_code}`, { defaultValue: one.reason_code })}</Tag>
      {may("members:personal") && one.body_bytes !== null && (
        <Button onClick={() => setShown(true)} size="small">
          {t("letter.reveal")}
        </Button>
      )}
      {may("dead_letters:write") && one.state === "open" && (
        <Button loading={again.isPending} onClick={() => again.mutate()} size="small" type="primary">
          {t("letter.redrive")}
        </Button>
      )}
      {isShown && <Bytes id={one.dead_letter_id} onClose={() => setShown(false)} />}
    </div>
  );
}

function Bytes({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation();
  const asked = useQuery({
    queryKey: ["letter", id],
    queryFn: () =>
      got(api.GET("/v1/dead-letters/{dead_letter_id}", { params: { path: { dead_letter_id: id }, query: { reveal: true } } })),
    gcTime: 0,
    staleTime: Infinity,
  });
  return (
    <Modal footer={null} onCancel={onClose} open title={t("letter.bytes")} width={800}>
      <p className="soft">{t("letter.audited")}</p>
      <Told asked={asked}>{(letter) => <pre className="data mono">{letter.body ?? letter.body_base64}</pre>}</Told>
    </Modal>
  );
}
