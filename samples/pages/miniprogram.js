import { desk } from "./desk.js";
import { $, ask, button, cards, day, field, goods, made, post, say, values, yuan } from "./shop.js";

const main = $("main");
const tabs = { shop: ["蛋糕", shop], wallet: ["卡包", wallet], member: ["会员中心", center],
  desk: ["工作台", atDesk] };
const CHANNELS = { website: "官网", miniprogram: "小程序" };
const STATUSES = { issued: "待领取", claimed: "可使用", reserved: "使用中", redeemed: "已使用",
  expired: "已过期", voided: "已作废", refunded: "已退款", frozen: "已冻结" };
const KINDS = { exchange: "兑换券", discount: "优惠券", times: "次卡", platform: "平台券" };
const STEPS = { open: "", placed: "已下单", partially_paid: "部分付款", unfulfilled: "待取货",
  partially_fulfilled: "部分取货", refunded: "已退款", partially_refunded: "部分退款",
  confirmed: "货到付款", paid: "已付款", unpaid: "待付款", fulfilled: "已取货",
  cancelled: "已取消", completed: "已完成", none: "" };
let at = "shop";

async function open(name) {
  at = name;
  say("");
  for (const tab of document.querySelectorAll("nav.tabs button")) {
    tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
  }
  await tabs[name][1]();
}

function login() {
  const form = made("form", { class: "card" }, made("h2", { text: "微信登录" }),
    made("p", { class: "soft", text: "示例程序:昵称代替微信的登录,同一昵称就是同一个微信号。" }),
    ...field("nickname", "微信昵称", { required: true, maxlength: 64 }),
    made("p", {}, made("button", { type: "submit", text: "登录" })));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await post("/api/login", values(form));
      await enter();
    } catch (error) {
      say(error.message);
    }
  });
  main.replaceChildren(form);
}

function shop() {
  main.replaceChildren(made("h2", { text: "今天有什么" }),
    made("div", { class: "cakes" }, ...cards(sold, basket)));
}

async function basket(cake, store, coupons = [], points = 0) {
  const wanted = { sku: cake.sku, place: store.place, coupons, points };
  const price = await ask("/api/quote", wanted);
  const redo = (chosen, used) => basket(cake, store, chosen, used).catch((e) => say(e.message));
  const offers = price.coupons.map((one) => {
    const box = made("input", { type: "checkbox", disabled: !one.is_usable });
    box.checked = one.is_chosen;
    box.addEventListener("change", () =>
      redo(box.checked ? [...coupons, one.code] : coupons.filter((c) => c !== one.code), points));
    const worth = one.is_usable ? `抵 ¥${one.amount}` : "此单不可用";
    return made("label", { class: "line" }, box,
      `${KINDS[one.kind] ?? "券"} ${one.code} · ${worth}`);
  });
  const spend = price.points.most;
  const use = made("input", { type: "checkbox", disabled: !spend });
  use.checked = points > 0;
  use.addEventListener("change", () => redo(coupons, use.checked ? spend : 0));
  const pay = button(`提交订单 ¥${price.to_pay}`, async () => {
    await show(await post("/api/orders", wanted));
  }, { disabled: !price.is_possible });
  main.replaceChildren(made("section", { class: "card" },
    made("h2", { text: `${cake.name} · ${store.name}` }),
    made("p", { class: "price", text: yuan(cake.price_fen) }), ...offers,
    made("label", { class: "line" }, use,
      spend ? `用 ${spend} 积分抵 ¥${price.points.most_pay}` : "没有可用的积分"),
    made("p", { class: "row" }, pay, button("返回", () => open("shop"), { class: "plain" }))));
}

async function show(placed) {
  const parts = [made("h2", { text: `订单 ${placed.number}` }),
    made("p", { text: `${placed.name} · ${placed.place_name}取货` }),
    made("p", { class: "big", text: yuan(placed.to_pay_fen) })];
  if (placed.state === "held") {
    const path = `/api/orders/${placed.number}`;
    parts.push(made("p", { class: "soft", text: "已为您留货 15 分钟。" }),
      made("p", { class: "row" },
        button(placed.to_pay_fen ? "微信支付" : "确认兑换", async () => show(await post(`${path}/pay`))),
        button("不要了", async () => show(await post(`${path}/cancel`)), { class: "plain" })));
  } else {
    const words = placed.state === "paid" ? "下单成功,请凭订单号到店取货。" : "订单已取消。";
    parts.push(made("p", { text: words }), button("回到蛋糕", () => open("shop"), { class: "plain" }));
  }
  main.replaceChildren(made("section", { class: "card" }, ...parts));
}

async function wallet() {
  const me = await ask("/api/me");
  const list = me.coupons.map(coupon);
  main.replaceChildren(made("h2", { text: "我的券" }),
    ...(list.length ? list : [made("p", { class: "soft", text: me.phone
      ? "还没有券。" : "还没有券。别人送您的券,在会员中心绑定手机号后就会出现。" })]));
}

function coupon(one) {
  const state = one.is_claimable ? "待领取" : STATUSES[one.status] ?? one.status;
  const parts = [made("div", { class: "row" },
    made("strong", { text: KINDS[one.kind] ?? "券" }), made("span", { class: "tag", text: state })),
  made("p", { class: "code", text: one.code }),
  made("p", { class: "soft", text: one.face_value ? `面值 ¥${one.face_value}` : "" })];
  const path = `/api/coupons/${encodeURIComponent(one.code)}`;
  if (one.is_claimable) {
    parts.push(button("领取", async () => {
      await post(`${path}/claim`);
      await open("wallet");
    }));
  } else if (one.status === "claimed") {
    const shown = made("p", { class: "token" });
    parts.push(button("出示给店员", async () => {
      shown.textContent = (await post(`${path}/token`)).token;
    }, { class: "plain" }), shown);
  }
  return made("article", { class: "card" }, ...parts);
}

async function center() {
  const me = await ask("/api/me");
  const level = me.tiers.find((tier) => tier.level)?.level ?? "普通会员";
  main.replaceChildren(
    made("section", { class: "card" }, made("div", { class: "row" },
      made("strong", { text: me.nickname }), made("span", { class: "tag", text: level })),
    made("p", {}, made("span", { class: "big", text: String(me.points.balance) }), " 积分 ",
      made("span", { class: "soft", text: `待生效 ${me.points.pending}` }))),
    phone(me), made("h2", { text: "全部渠道的订单" }),
    ...(me.orders.length ? me.orders.map(ordered) : [made("p", { class: "soft", text: "还没有订单。" })]),
    made("h2", { text: "积分明细" }), ledger(me.ledger),
    made("h2", { text: "隐私" }), privacy(me));
}

function phone(me) {
  if (me.phone) return made("p", { class: "card", text: `已绑定手机 ${me.phone}` });
  const form = made("form", { class: "card" },
    made("p", { class: "soft", text: "绑定后,官网和门店的积分、券、订单都在这里。示例程序:此按钮代替微信确认这是您的手机号。" }),
    ...field("phone", "手机号", { required: true, inputmode: "tel", pattern: "1[0-9]{10}" }),
    made("p", {}, made("button", { type: "submit", text: "授权手机号" })));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await post("/api/phone", values(form));
      await open("member");
    } catch (error) {
      say(error.message);
    }
  });
  return form;
}

function ordered(one) {
  const steps = [one.status, one.payment_status, one.fulfilment_status];
  const words = [...new Set(steps.map((step) => STEPS[step] ?? step))].filter(Boolean).join(" · ");
  return made("article", { class: "card" }, made("div", { class: "row" },
    made("strong", { text: one.order_number }),
    made("span", { class: "tag", text: channel(one.channel) })),
  made("div", { class: "row" }, made("span", { class: "soft", text: words }),
    made("span", { class: "price", text: one.total ? `¥${one.total}` : "" })));
}

function channel(name) {
  const known = Object.keys(CHANNELS).find((one) => name.endsWith(one));
  return CHANNELS[known] ?? name;
}

function ledger(entries) {
  if (!entries.length) return made("p", { class: "soft", text: "还没有积分。" });
  return made("ul", {}, ...entries.map((one) => made("li", { class: "row card" },
    made("span", { class: "soft", text: `${day(one.occurred_at)} · ${channel(one.channel)}` }),
    made("strong", { text: String(one.points) }))));
}

function privacy(me) {
  const box = made("input", { type: "checkbox" });
  box.checked = me.is_told_offers;
  box.addEventListener("change", () =>
    post("/api/consent", { is_granted: box.checked }).catch((error) => say(error.message)));
  return made("section", { class: "card" },
    made("label", { class: "line" }, box, "接收优惠消息"),
    made("p", { class: "soft", text: "注销后,中台忘记您在小程序的一切个人信息;订单金额按法律保留。" }),
    button("注销会员", async () => {
      const { certificates } = await post("/api/leave");
      login();
      $("nav.tabs").hidden = true;
      $("#who").textContent = "";
      say(`已注销,共 ${certificates.length} 份删除证明。`, true);
    }, { class: "plain" }));
}

async function atDesk() {
  main.replaceChildren(made("section", { id: "desk" }));
  await desk(sold);
}

async function enter() {
  const me = await ask("/api/me");
  $("#who").textContent = me.nickname;
  $("nav.tabs").hidden = false;
  await open("shop");
}

const sold = await goods(() => at === "shop" && $(".cakes") && shop(),
  () => at === "desk" && atDesk());
$("nav.tabs").append(...Object.entries(tabs).map(([name, [text]]) => {
  const tab = button(text, () => open(name), { role: "tab" });
  tab.dataset.tab = name;
  return tab;
}));
await enter().catch(login);
