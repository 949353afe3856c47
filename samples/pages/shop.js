// What both pages need: asking their own server, showing words, and stock that changes as one looks.

export const $ = (selector, within = document) => within.querySelector(selector);
export const yuan = (fen) => `¥${(fen / 100).toFixed(2)}`;
export const day = (text) => (text ? new Date(text).toLocaleString("zh-CN", { hour12: false }) : "—");

/** An element with text as text: what people typed is never read as HTML. */
export function made(tag, { text, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function say(text, isGood = false) {
  const words = $("#words");
  words.textContent = text;
  words.hidden = !text;
  words.classList.toggle("good", isGood);
}

/** What the server answers. Throws an Error with its words. */
export async function ask(path, body, method = body === undefined ? "GET" : "POST") {
  const sent = { method, headers: { "Content-Type": "application/json" } };
  if (body !== undefined && method === "POST") sent.body = JSON.stringify(body);
  const answer = await fetch(path, sent);
  const text = await answer.text();
  const read = text.startsWith("{") ? JSON.parse(text) : {};
  if (!answer.ok) throw new Error(read.words ?? `出错了(${answer.status})`);
  return read;
}

export const post = (path, body = {}) => ask(path, body);

/** A button that does something once at a time, and says what stood in the way. */
export function button(text, work, attributes = {}) {
  const made_ = made("button", { type: "button", text, ...attributes });
  made_.addEventListener("click", async () => {
    made_.disabled = true;
    say("");
    try {
      await work();
    } catch (error) {
      say(error.message);
    } finally {
      made_.disabled = attributes.disabled ?? false;
    }
  });
  return made_;
}

/** What is sold, with its stock kept as the hub tells it. changed(): called when stock changed. */
export async function goods(changed, told = () => {}) {
  const found = await ask("/api/goods");
  const stock = new Map();
  const take = ({ sku, place, available }) => stock.set(`${sku} ${place}`, Number(available));
  found.stock.forEach(take);
  const live = new EventSource("/api/live");
  live.addEventListener("stock", (event) => {
    take(JSON.parse(event.data));
    changed();
  });
  live.addEventListener("told", () => told());
  return { ...found, left: (sku, place) => Math.max(0, stock.get(`${sku} ${place}`) ?? 0) };
}

export function cards(sold, onBuy) {
  return sold.cakes.map((cake) => {
    const stores = sold.stores.map((store) => {
      const left = sold.left(cake.sku, store.place);
      const buy = button(left ? "购买" : "已售罄", () => onBuy(cake, store), {
        disabled: !left,
        "aria-label": `在${store.name}${left ? "购买" : "已售罄"}${cake.name}`,
      });
      const words = left ? `余 ${left} 个` : "没有了";
      return made("li", { class: "row", "data-stock": `${cake.sku}@${store.place}` },
        made("span", {}, made("span", { text: store.name }), " ",
          made("span", { class: "soft", text: words })), buy);
    });
    return made("article", { class: "card" }, made("h3", { text: cake.name }),
      made("div", { class: "price", text: yuan(cake.price_fen) }), made("ul", {}, ...stores));
  });
}

export function field(name, label, attributes = {}) {
  const id = `field-${name}`;
  return [made("label", { for: id, text: label }), made("input", { id, name, ...attributes })];
}

export const values = (form) => Object.fromEntries(new FormData(form));
