import { useTranslation } from "react-i18next";

export default function Find() {
  const { t } = useTranslation();
  return <h1>{t("find.title")}</h1>;
}
