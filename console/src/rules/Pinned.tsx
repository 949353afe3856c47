// The real event that a rule is built and tried on.
import { Select } from "antd";
import { useTranslation } from "react-i18next";
import { useSaid } from "../parts/said";
import type { Sample } from "./asking";
import { Labelled } from "./Labelled";

interface Given {
  samples: Sample[];
  pinned: Sample | undefined;
  onPin: (event_id: string) => void;
}

export function Pinned({ samples, pinned, onPin }: Given) {
  const { t } = useTranslation();
  const said = useSaid();
  return (
    <Labelled words={t("rule.pinned")}>
      {(label) => (
        <Select
          aria-label={label}
          notFoundContent={t("rule.noSamples")}
          onChange={onPin}
          options={samples.map((one) => ({
            value: one.event_id,
            label: `${subjectOf(one)} · ${said.channel(one.channel)} · ${said.moment(one.received_at)}`,
          }))}
          placeholder={t("rule.noSamples")}
          showSearch={{ optionFilterProp: "label" }}
          value={pinned?.event_id ?? null}
        />
      )}
    </Labelled>
  );
}

function subjectOf(one: Sample): string {
  const event = (one.fact.event ?? {}) as Record<string, string>;
  return event.subject || one.event_id;
}
