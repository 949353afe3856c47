// The pages behind the login, and the way between them. Each page is loaded when it is opened.
import { useQueryClient } from "@tanstack/react-query";
import { App as AntApp, Button, Spin } from "antd";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { api } from "../api/client";
import { LanguageSwitch } from "../parts/LanguageSwitch";
import mark from "../mark.svg";
import { useMay, useSession } from "./session";

const Find = lazy(() => import("../pages/Find"));
const Member = lazy(() => import("../pages/Member"));
const Order = lazy(() => import("../pages/Order"));
const Coupon = lazy(() => import("../pages/Coupon"));
const Item = lazy(() => import("../pages/Item"));
const Work = lazy(() => import("../pages/Work"));
const Case = lazy(() => import("../pages/Case"));
const Rules = lazy(() => import("../pages/Rules"));
const Rule = lazy(() => import("../pages/Rule"));
const Deliveries = lazy(() => import("../pages/Deliveries"));
const DeadLetters = lazy(() => import("../pages/DeadLetters"));
const Stock = lazy(() => import("../pages/Stock"));
const Store = lazy(() => import("../pages/Store"));
const WAYS = [
  { path: "/", word: "find.title", scope: null },
  { path: "/work", word: "work.title", scope: "cases:read" },
  { path: "/stock", word: "board.title", scope: "stock:read" },
  { path: "/rules", word: "rule.title", scope: "rules:read" },
  { path: "/deliveries", word: "delivery.title", scope: "subscriptions:read" },
  { path: "/dead-letters", word: "letter.title", scope: "dead_letters:read" },
] as const;

export default function Shell() {
  const { t } = useTranslation();
  const { place } = useSession();
  return (
    <AntApp>
      <div className="frame">
        <header className="side">
          <div className="brand">
            <img src={mark} alt="" />
            {t("app.name")}
          </div>
          <Ways />
          <Who />
        </header>
        <main className="main">
          <Suspense fallback={<Spin />}>
            <Switch>
              <Route path="/" component={place === null ? Find : Store} />
              <Route path="/members/:id" component={Member} />
              <Route path="/orders/:id" component={Order} />
              <Route path="/coupons/:code" component={Coupon} />
              <Route path="/items/:sku" component={Item} />
              <Route path="/work" component={Work} />
              <Route path="/work/:id" component={Case} />
              <Route path="/stock" component={Stock} />
              <Route path="/rules" component={Rules} />
              <Route path="/rules/:name" component={Rule} />
              <Route path="/deliveries" component={Deliveries} />
              <Route path="/dead-letters" component={DeadLetters} />
              <Route>
                <Redirect to="/" />
              </Route>
            </Switch>
          </Suspense>
        </main>
      </div>
    </AntApp>
  );
}

function Ways() {
  const { t } = useTranslation();
  const may = useMay();
  const { place } = useSession();
  const [here] = useLocation();
  // Who stands at a counter has one page, and the whole of a phone for it.
  if (place !== null) return null;
  return (
    <nav aria-label={t("app.ways")}>
      {WAYS.filter((way) => way.scope === null || may(way.scope)).map((way) => (
        <Link
          aria-current={here === way.path || (way.path !== "/" && here.startsWith(way.path)) ? "page" : undefined}
          className="go"
          href={way.path}
          key={way.path}
        >
          {t(way.word)}
        </Link>
      ))}
    </nav>
  );
}

function Who() {
  const { t } = useTranslation();
  const session = useSession();
  const client = useQueryClient();
  async function leave() {
    await api.DELETE("/v1/session");
    client.setQueryData(["session"], null);
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
  }
  return (
    <div className="who">
      <span>
        {session.name} <span className="soft">{t(`role.${session.role}`)}</span>
      </span>
      <span>
        <LanguageSwitch />
        <Button onClick={leave} size="small" type="text">
          {t("login.leave")}
        </Button>
      </span>
    </div>
  );
}
