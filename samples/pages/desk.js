// The shop's own desk: orders to hand over, shelves to count, and what the hub told.

import { $, ask, button, day, field, made, post, say, values, yuan } from "./shop.js";

const STATES = { held: "待付款", paid: "已付款", picked_up: "已取货", cancelled: "已取消" };

export async function desk(sold) {
  const { orders, told, refused } = await ask("/api/desk");
  const again = () => desk(sold);
  const parts = [
    made("h2", { text: "门店工作台" }),
    made("p", { class: "soft", text: "给店员看的:本渠道的订单、货架盘点、中台说了什么。" }),
    made("h3", { text: "本渠道订单" }),
    listed(orders, (order) => ordered(order, again), "还没有订单。"),
    made("h3", { text: "货架盘点" }),
    counting(sold, again),
    made("h3", { text: "中台告诉我们的" }),
    listed(told.slice(0, 20), heard, "中台还没有说什么。"),
  ];
  if (refused.length) {
    parts.push(made("h3", { text: "中台没有接受的" }),
      listed(refused, (one) => made("li", { class: "card", text: `${one.type}: ${one.refused}` })));
  }
  $("#desk").replaceChildren(...parts);
}

function listed(rows, shown, empty = "") {
  const list = made("ul", {}, ...rows.map(shown));
  return rows.length ? list : made("p", { class: "soft", text: empty });
}

function ordered(order, again) {
  const words = `${order.name} × ${order.quantity} · ${order.place_name} · ${STATES[order.state]}`;
  const row = made("li", { class: "row card" },
    made("span", {}, made("strong", { text: order.number }), made("br"), words, " ",
      made("span", { class: "price", text: yuan(order.to_pay_fen) })));
  if (order.state === "paid") {
    const name = { "aria-label": `交货 ${order.number}` };
    row.append(button("交货", async () => {
      await post(`/api/desk/orders/${order.number}/hand-over`);
      await again();
    }, name));
  }
  return row;
}

function counting(sold, again) {
  const select = (name, label, options) => [
    made("label", { for: `desk-${name}`, text: label }),
    made("select", { id: `desk-${name}`, name },
      ...options.map(([value, text]) => made("option", { value, text }))),
  ];
  const form = made("form", { class: "card" },
    ...select("sku", "蛋糕", sold.cakes.map((cake) => [cake.sku, cake.name])),
    ...select("place", "门店", sold.stores.map((store) => [store.place, store.name])),
    ...field("quantity", "盘点数量", { type: "number", min: 0, max: 1000, required: true }),
    made("p", {}, made("button", { type: "submit", text: "记下盘点" })));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { sku, place, quantity } = values(form);
    try {
      await post("/api/desk/shelf", { sku, place, quantity: Number(quantity) });
      say("盘点已告诉中台", true);
      await again();
    } catch (error) {
      say(error.message);
    }
  });
  return form;
}

function heard(event) {
  return made("li", { class: "card soft" }, made("strong", { text: event.type }), " ",
    made("span", { text: event.subject ?? "" }), made("br"), day(event.time), made("br"),
    made("span", { text: JSON.stringify(event.data ?? {}) }));
}
