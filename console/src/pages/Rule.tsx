// One rule: built on a canvas, as a form or as YAML; tried, published, and what it did.
import { Alert, Input, Segmented, Skeleton, Tabs, Tag } from "antd";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { stringify } from "yaml";
import { useMay } from "../app/session";
import { Panel } from "../parts/Panel";
import { Failed, Told } from "../parts/Told";
import { useFaults, useParts, useSamples, useVersions, type Fault, type Version } from "../rules/asking";
import { sourceFields } from "../rules/fields";
import { FormView } from "../rules/FormView";
import { Ask, Doings, type Doing } from "../rules/Head";
import { Mapping } from "../rules/Mapping";
import { Pinned } from "../rules/Pinned";
import { Publish } from "../rules/Publish";
import { Runs } from "../rules/Runs";
import { Trial } from "../rules/Trial";
import { useSheet } from "../rules/useSheet";
import { Versions } from "../rules/Versions";

const Canvas = lazy(() => import("../rules/Canvas"));
const VIEWS = ["canvas", "mapping", "form", "yaml"] as const;

export default function Rule({ params }: { params: { name: string } }) {
  const asked = useVersions(params.name);
  return <Told asked={asked}>{(versions) => <Shown key={params.name} name={params.name} versions={versions} />}</Told>;
}

function writtenOf(name: string, newest: Version | undefined): string {
  return stringify(newest?.document ?? { rule: name, trigger: { events: [] } }, { lineWidth: 0 });
}

function Shown({ name, versions }: { name: string; versions: Version[] }) {
  const { t } = useTranslation();
  const may = useMay();
  const newest = versions.at(-1);
  const held = useSheet(name, writtenOf(name, newest));
  const { sheet, rule } = held;
  const { faults, error } = useFaults(sheet.text);
  const parts = useParts();
  const type = rule?.trigger.events?.[0];
  const told = useSamples(parts?.events.includes(type ?? "") ? type : undefined);
  const [tab, setTab] = useState("build");
  const [view, setView] = useState<(typeof VIEWS)[number]>("canvas");
  const [doing, setDoing] = useState<Doing | null>(null);
  const [pin, setPin] = useState(() => localStorage.getItem(`hub.pinned.${name}`));
  const samples = told?.samples ?? [];
  const pinned = samples.find((one) => one.event_id === pin) ?? samples[0];
  const known = { parts, fields: told?.fields ?? [] };
  const canWrite = may("rules:write");
  function pinTo(event_id: string) {
    localStorage.setItem(`hub.pinned.${name}`, event_id);
    setPin(event_id);
  }
  const build = (
    <>
      <div className="actions views">
        <Segmented
          aria-label={t("rule.view")}
          onChange={setView}
          options={VIEWS.map((value) => ({ value, label: t(`rule.views.${value}`) }))}
          value={view}
        />
        <Checked faults={faults} />
      </div>
      {error ? <Failed error={error} /> : <Faults faults={faults ?? []} />}
      {rule === null && view !== "yaml" && <Alert showIcon title={t("rule.onlyText")} type="warning" />}
      {rule && view === "canvas" && (
        <Suspense fallback={<Skeleton active title={false} />}>
          <Canvas canWrite={canWrite} faults={faults ?? []} held={held} known={known} rule={rule} />
        </Suspense>
      )}
      {rule && view === "mapping" && (
        <Panel title={t("rule.mapTitle")}>
          <Pinned onPin={pinTo} pinned={pinned} samples={samples} />
          <Mapping
            canWrite={canWrite}
            onChange={(next, stroke) => held.changeRule(next, {}, stroke)}
            parts={parts}
            rule={rule}
            sources={sourceFields(pinned?.fact, known.fields)}
          />
        </Panel>
      )}
      {rule && view === "form" && (
        <FormView known={known} onChange={(next, stroke) => held.changeRule(next, {}, stroke)} rule={rule} />
      )}
      {view === "yaml" && (
        <Input.TextArea
          aria-label={t("rule.views.yaml")}
          autoSize={{ minRows: 16 }}
          className="mono"
          onChange={(event) => held.change({ text: event.target.value }, "text")}
          spellCheck={false}
          value={sheet.text}
        />
      )}
    </>
  );
  return (
    <>
      <div className="page-head">
        <Link href="/rules">{t("rule.title")}</Link>
        <h1>{rule?.title || name}</h1>
        {newest ? (
          <Tag color={newest.status === "published" ? "green" : "gold"}>
            {t(`rule.status.${newest.status}`)} · {t("rule.version", { number: newest.version })}
          </Tag>
        ) : (
          <Tag>{t("rule.draft")}</Tag>
        )}
        {newest && canWrite && <Doings onAsk={setDoing} status={newest.status} />}
      </div>
      <Tabs
        activeKey={tab}
        items={[
          { key: "build", label: t("rule.tab.build"), children: build },
          {
            key: "test",
            label: t("rule.tab.test"),
            children: <Trial name={name} onPin={pinTo} pinned={pinned} samples={samples} text={sheet.text} />,
          },
          {
            key: "publish",
            label: t("rule.tab.publish"),
            children: (
              <Publish faults={faults} looseCount={sheet.loose.length} name={name} onPublished={held.settle} text={sheet.text} />
            ),
          },
          {
            key: "versions",
            label: t("rule.tab.versions"),
            children: (
              <Versions
                onLoad={(version) => {
                  held.change({ text: writtenOf(name, version), loose: [] });
                  setTab("build");
                }}
                onRollBack={(version) => setDoing({ what: "rollback", version })}
                versions={versions}
              />
            ),
          },
          { key: "runs", label: t("rule.tab.runs"), children: newest ? <Runs name={name} /> : <Panel title={t("rule.runs")}>{t("rule.noRuns")}</Panel> },
        ]}
        onChange={setTab}
      />
      {doing && <Ask doing={doing} name={name} onEnd={() => setDoing(null)} />}
    </>
  );
}

function Checked({ faults }: { faults: Fault[] | undefined }) {
  const { t } = useTranslation();
  return (
    <span aria-live="polite">
      {faults === undefined && <Tag>{t("rule.checking")}</Tag>}
      {faults?.length === 0 && <Tag color="green">{t("rule.isRight")}</Tag>}
      {faults && faults.length > 0 && <Tag color="red">{t("rule.faultCount", { count: faults.length })}</Tag>}
    </span>
  );
}

function Faults({ faults }: { faults: Fault[] }) {
  const { t } = useTranslation();
  if (faults.length === 0) return null;
  return (
    <ul className="faults">
      {faults.map((fault, index) => (
        <li key={index}>
          <span className="mono soft">
            {fault.path} {fault.line !== null && t("rule.line", { number: fault.line })}
          </span>{" "}
          {fault.words}
        </li>
      ))}
    </ul>
  );
}
