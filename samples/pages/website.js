import { desk } from "./desk.js";
import { $, ask, button, cards, field, goods, made, post, say, values, yuan } from "./shop.js";

const order = $("#order");

function draw() {
  $("#cakes .cakes").replaceChildren(...cards(sold, begin));
}

function begin(cake, store) {
  const form = made("form", {},
    made("h2", { text: `${cake.name} · ${store.name}` }),
    ...field("name", "取货人", { required: true, maxlength: 64 }),
    ...field("phone", "手机号", { required: true, inputmode: "tel", pattern: "1[0-9]{10}" }),
    made("p", {}, made("button", { type: "submit", text: `提交订单 ${yuan(cake.price_fen)}` })));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("");
    try {
      show(await post("/api/orders", { sku: cake.sku, place: store.place, ...values(form) }));
    } catch (error) {
      say(error.message);
    }
  });
  order.replaceChildren(form);
  order.hidden = false;
  $("input", form).focus();
}

function show(placed) {
  const parts = [
    made("h2", { text: `订单 ${placed.number}` }),
    made("p", { text: `${placed.name} · ${placed.place_name}取货 · ${yuan(placed.to_pay_fen)}` }),
  ];
  if (placed.state === "held") {
    parts.push(made("p", { class: "soft", text: "已为您留货 15 分钟。" }),
      button("付款", async () => show(await post(`/api/orders/${placed.number}/pay`))), " ",
      button("不要了", async () => show(await post(`/api/orders/${placed.number}/cancel`)),
        { class: "plain" }));
  } else {
    const words = placed.state === "paid" ? "付款成功,请凭订单号到店取货。" : "订单已取消。";
    parts.push(made("p", { text: words }));
  }
  order.replaceChildren(...parts);
  desk(sold);
}

const STATUSES = { issued: "未使用", claimed: "已领取", reserved: "使用中", redeemed: "已使用",
  expired: "已过期", voided: "已作废", refunded: "已退款", frozen: "已冻结" };

function voucher(bought) {
  const state = made("span", { class: "tag", text: STATUSES[bought.status] });
  const look = button("查询状态", async () => {
    const now = await ask(`/api/vouchers/${encodeURIComponent(bought.code)}`);
    state.textContent = STATUSES[now.status] ?? now.status;
  }, { class: "plain" });
  return made("li", { class: "row card" },
    made("span", {}, "券码 ", made("span", { class: "code", text: bought.code })),
    made("span", {}, state, " ", look));
}

$("#voucher form").addEventListener("submit", async (event) => {
  event.preventDefault();
  say("");
  try {
    const bought = await post("/api/vouchers", values(event.target));
    $("#voucher .sold").prepend(voucher(bought));
    event.target.reset();
  } catch (error) {
    say(error.message);
  }
});

const sold = await goods(draw, () => desk(sold));
draw();
await desk(sold);
