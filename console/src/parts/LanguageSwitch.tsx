// Chinese or English; named in the language that it leads to.
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { speak, type Language } from "../words";

const NAMES: Record<Language, string> = { zh: "中文", en: "English" };

export function LanguageSwitch() {
  const { i18n } = useTranslation();
  const other: Language = i18n.language === "zh" ? "en" : "zh";
  return (
    <Button lang={other} onClick={() => speak(other)} size="small" type="text">
      {NAMES[other]}
    </Button>
  );
}
