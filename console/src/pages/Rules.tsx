// All rules: what state each is in, and what it did of late. New ones begin here.
import { useQuery } from "@tanstack/react-query";
import { Button, Input, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { api, got } from "../api/client";
import { useMay } from "../app/session";
import { Panel } from "../parts/Panel";
import { useSaid } from "../parts/said";
import { Nothing, Told } from "../parts/Told";
import { useParts, type Version } from "../rules/asking";
import { draftNames, keepDraft } from "../rules/useSheet";

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const FIGURES_EVERY_MS = 15_000;
const COLOURS: Record<string, string> = { published: "green", paused: "gold" };

export default function Rules() {
  const { t } = useTranslation();
  const may = useMay();
  const asked = useQuery({ queryKey: ["rules"], queryFn: () => got(api.GET("/v1/rules")) });
  return (
    <>
      <div className="page-head">
        <h1>{t("rule.title")}</h1>
      </div>
      <Told asked={asked}>
        {({ rules }) => {
          const drafts = draftNames().filter((name) => !rules.some((one) => one.rule === name));
          return (
            <Panel title={t("rule.all")}>
              {rules.length + drafts.length === 0 && <Nothing words={t("rule.none")} />}
              {rules.map((one) => (
                <Listed key={one.rule} one={one} />
              ))}
              {drafts.map((name) => (
                <div className="row" key={name}>
                  <span className="grow">
                    <Link href={`/rules/${name}`}>{name}</Link>
                  </span>
                  <Tag>{t("rule.draft")}</Tag>
                </div>
              ))}
            </Panel>
          );
        }}
      </Told>
      {may("rules:write") && <New />}
    </>
  );
}

function Listed({ one }: { one: Version }) {
  const { t } = useTranslation();
  const said = useSaid();
  const name = one.rule;
  const figures = useQuery({
    queryKey: ["rule", name, "figures"],
    queryFn: () => got(api.GET("/v1/rules/{name}/figures", { params: { path: { name } } })),
    refetchInterval: FIGURES_EVERY_MS,
  }).data?.versions;
  const sum = (count: (version: NonNullable<typeof figures>[number]) => number) =>
    (figures ?? []).reduce((total, version) => total + count(version), 0);
  const failing = Math.max(0, ...(figures ?? []).map((version) => version.failing));
  const last = (figures ?? []).map((version) => version.last_hour).sort().at(-1);
  const title = (one.document.title as string | undefined) ?? "";
  return (
    <div className="row">
      <span className="grow">
        <Link href={`/rules/${name}`}>{title || name}</Link>
        <div className="soft mono">{name}</div>
      </span>
      <span className="soft">{t("rule.version", { number: one.version })}</span>
      {figures && (
        <span className="soft">
          {last ? t("rule.didSince", { done: sum((v) => v.done), at: said.moment(last) }) : t("rule.didNothing")}
        </span>
      )}
      {failing > 0 && <Tag color="red">{t("rule.failing", { count: failing })}</Tag>}
      <Tag color={COLOURS[one.status] ?? "default"}>{t(`rule.status.${one.status}`)}</Tag>
    </div>
  );
}

function New() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const parts = useParts();
  const [name, setName] = useState("");
  const [template, setTemplate] = useState("");
  function begin() {
    const empty = `rule: ${name}\ntrigger:\n  events: []\n`;
    const text = parts?.templates[template]?.replace(`rule: ${template}\n`, `rule: ${name}\n`) ?? empty;
    keepDraft(name, { text, loose: [], places: {} });
    go(`/rules/${name}`);
  }
  return (
    <Panel title={t("rule.new")}>
      <div className="stack">
        <label className="stack">
          {t("rule.name")}
          <Input
            maxLength={64}
            onChange={(event) => setName(event.target.value)}
            onPressEnter={() => NAME.test(name) && begin()}
            placeholder={t("rule.nameHint")}
            status={name && !NAME.test(name) ? "error" : ""}
            value={name}
          />
        </label>
        <label className="stack">
          {t("rule.template")}
          <Select
            onChange={setTemplate}
            options={[
              { value: "", label: t("rule.empty") },
              ...Object.keys(parts?.templates ?? {}).map((value) => ({ value, label: value })),
            ]}
            value={template}
          />
        </label>
        <div className="actions">
          <Button disabled={!NAME.test(name)} onClick={begin} type="primary">
            {t("rule.begin")}
          </Button>
        </div>
      </div>
    </Panel>
  );
}
