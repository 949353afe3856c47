// Why somebody does it: what the audit keeps.
import { Input } from "antd";
import { useTranslation } from "react-i18next";

interface Asked {
  value: string;
  onChange: (text: string) => void;
  label?: string;
}

export function Reason({ value, onChange, label }: Asked) {
  const { t } = useTranslation();
  return (
    <Input.TextArea
      aria-label={label ?? t("ask.reason")}
      maxLength={256}
      onChange={(event) => onChange(event.target.value)}
      placeholder={label ?? t("ask.reason")}
      value={value}
    />
  );
}
