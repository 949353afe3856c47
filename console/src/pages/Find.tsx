// One box: whatever somebody has at hand leads to the object.
import { useMutation } from "@tanstack/react-query";
import { Input, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { find, placeOf, type Hit } from "../parts/finding";
import { colourOf, useSaid } from "../parts/said";
import { Failed, Nothing } from "../parts/Told";

export default function Find() {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [, go] = useLocation();
  const search = useMutation({
    mutationFn: find,
    onSuccess(hits) {
      const [only] = hits;
      const place = only && hits.length === 1 && only.kind !== "event" ? placeOf(only) : null;
      if (place) go(place);
    },
  });
  return (
    <>
      <div className="page-head">
        <h1>{t("find.title")}</h1>
      </div>
      <section className="panel">
        <Input.Search
          allowClear
          aria-label={t("find.box")}
          autoFocus
          enterButton={t("find.go")}
          loading={search.isPending}
          maxLength={256}
          onChange={(event) => setText(event.target.value)}
          onSearch={(wanted) => wanted.trim() && search.mutate(wanted.trim())}
          placeholder={t("find.example")}
          size="large"
          value={text}
        />
        <p className="soft">{t("find.hint")}</p>
        {search.isError && <Failed error={search.error} />}
        {search.data?.length === 0 && <Nothing words={t("find.none")} />}
        {search.data?.map((hit) => <Found hit={hit} key={`${hit.kind} ${hit.id} ${hit.channel}`} />)}
      </section>
    </>
  );
}

function Found({ hit }: { hit: Hit }) {
  const { t } = useTranslation();
  const said = useSaid();
  const place = placeOf(hit);
  const name = hit.kind === "event" ? said.event(hit.title ?? "") : (hit.title ?? hit.id.slice(0, 8));
  return (
    <div className="row">
      <Tag>{t(`kind.${hit.kind}`)}</Tag>
      <span className="grow">
        {place ? <Link href={place}>{name}</Link> : name}
        {hit.by && <span className="soft"> {t(`identifier.${hit.by}`)}</span>}
      </span>
      {hit.channel && <span className="soft">{said.channel(hit.channel)}</span>}
      {hit.is_verified !== null && hit.is_verified !== undefined && (
        <Tag color={hit.is_verified ? "green" : "default"}>{said.state(hit.is_verified ? "verified" : "stated")}</Tag>
      )}
      {hit.state && <Tag color={colourOf(hit.state)}>{said.state(hit.state)}</Tag>}
    </div>
  );
}
