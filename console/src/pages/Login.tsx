// Name and password. The first screen: it stays small.
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Alert, Button, Input } from "antd";
import { api, got, Refusal, type Session } from "../api/client";
import { LanguageSwitch } from "../parts/LanguageSwitch";
import mark from "../mark.svg";

export function Login({ onLogin }: { onLogin: (session: Session) => void }) {
  const { t } = useTranslation();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<{ title: string; detail: string } | null>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    try {
      onLogin(await got(api.POST("/v1/session", { body: { login, password } })));
    } catch (error) {
      const isWord = error instanceof Refusal;
      setRefusal({
        title: isWord ? error.message : t("problem.unreachable"),
        detail: isWord ? error.detail : t("problem.tryAgain"),
      });
      setBusy(false);
    }
  }

  return (
    <main className="login">
      <form className="login-card" onSubmit={submit} style={{ display: "grid", gap: 16 }}>
        <div className="brand">
          <img src={mark} alt="" />
          <h1 style={{ fontSize: 18, margin: 0 }}>{t("app.name")}</h1>
        </div>
        <label style={{ display: "grid", gap: 6 }}>
          {t("login.name")}
          <Input
            autoFocus
            autoComplete="username"
            name="login"
            size="large"
            value={login}
            onChange={(event) => setLogin(event.target.value)}
          />
        </label>
        <label style={{ display: "grid", gap: 6 }}>
          {t("login.password")}
          <Input
            autoComplete="current-password"
            name="password"
            size="large"
            type="password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        {refusal && <Alert type="error" showIcon title={refusal.title} description={refusal.detail} />}
        <Button block disabled={!login || !password} htmlType="submit" loading={isBusy} size="large" type="primary">
          {t("login.enter")}
        </Button>
        <div style={{ display: "flex", justifyContent: "space-between", alignItems: "center" }}>
          <span className="soft">{t("login.hint")}</span>
          <LanguageSwitch />
        </div>
      </form>
    </main>
  );
}
