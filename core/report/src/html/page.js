"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [PATH, LABEL, SUGGESTED, SCORE, FLAGS, SPLIT, DECISION, NEW, REVIEWER, REASON, TAGS, NOTE, AT] = Array(13).keys();
  const rows = data.rows;
  const find = (id) => document.getElementById(id);
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const isolated = (text) => make("bdi", {}, text);

  // Pictures: each block is split when one of its pictures is first shown.
  const blocks = [...document.querySelectorAll("script.pictures")];
  const split = [];
  const picture = (index) => {
    const block = Math.floor(index / data.together);
    if (!blocks[block]) return "";
    split[block] ??= blocks[block].textContent.split("\n");
    const text = split[block][index % data.together];
    return text ? "data:image/jpeg;base64," + text : "";
  };
  const image = (index, alt) => {
    const source = picture(index);
    return source ? make("img", { src: source, alt, loading: "lazy", decoding: "async" }) : make("span");
  };

  const detectors = (row) => row[FLAGS].map(([index]) => data.detectors[index]).join(", ");
  const decided = (row) => (row[DECISION] === "relabel" ? "relabel to " + row[NEW] : row[DECISION]);
  const columns = [
    ["rank", "Rank", (index) => index],
    ["picture", "Picture"],
    ["path", "Path", (index) => rows[index][PATH]],
    ["label", "Label", (index) => rows[index][LABEL]],
    ["suggested", "Suggested", (index) => rows[index][SUGGESTED]],
    ["score", "Score", (index) => rows[index][SCORE] ?? 2],
    ["by", "Found by", (index) => detectors(rows[index])],
    ["split", "Split", (index) => rows[index][SPLIT]],
    ["decision", "Decision", (index) => decided(rows[index])],
  ];
  const body = document.querySelector("#list tbody");
  const state = { order: [], drawn: 0, column: 0, down: false };
  const STEP = 60;

  const cells = (index) => {
    const row = rows[index];
    const open = make("button", { type: "button" }, isolated(row[PATH]));
    open.addEventListener("click", () => detail(index));
    return make("tr", { "data-row": index },
      make("td", { class: "rank number" }, String(index + 1)),
      make("td", { class: "picture" }, image(index, "")),
      make("td", { class: "path" }, open, make("small", {}, isolated(row[REASON]))),
      make("td", { class: "label" }, isolated(row[LABEL])),
      make("td", { class: "suggested" }, isolated(row[SUGGESTED])),
      make("td", { class: "score number" }, row[SCORE] === null ? "" : row[SCORE].toFixed(3)),
      make("td", { class: "by" }, detectors(row)),
      make("td", { class: "split" }, row[SPLIT]),
      make("td", { class: "decision " + row[DECISION] }, isolated(decided(row))));
  };
  const draw = () => {
    const next = state.order.slice(state.drawn, state.drawn + STEP);
    body.append(...next.map(cells));
    state.drawn += next.length;
    find("more").hidden = state.drawn >= state.order.length;
  };

  const fold = (text) => text.toLocaleLowerCase();
  const texts = [];
  const text = (index) => (texts[index] ??= fold([PATH, LABEL, SUGGESTED, REASON, NOTE].map((at) => rows[index][at]).join("\n")));
  const renew = () => {
    const words = fold(find("words").value).split(/\s+/).filter(Boolean);
    const [label, by, decision] = ["by-label", "by-detector", "by-decision"].map((id) => find(id).value);
    const matches = (index) => {
      const row = rows[index];
      return (label === "" || "=" + row[LABEL] === label)
        && (by === "" || row[FLAGS].some(([flag]) => String(flag) === by))
        && (decision === "" || (decision === "none" ? row[DECISION] === "" : decision === "any" ? row[DECISION] !== "" : row[DECISION] === decision))
        && words.every((word) => text(index).includes(word));
    };
    const key = columns[state.column][2];
    const order = [...rows.keys()].filter(matches);
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    const by_key = (a, b) => {
      const [x, y] = [key(a), key(b)];
      return (typeof x === "number" ? x - y : compare(x, y)) || a - b;
    };
    order.sort(by_key);
    if (state.down) order.reverse();
    state.order = order;
    state.drawn = 0;
    body.replaceChildren();
    const all = rows.length.toLocaleString("en");
    find("shown").textContent = order.length === rows.length
      ? `${all} ${rows.length === 1 ? "suspect" : "suspects"}` : `${order.length.toLocaleString("en")} of ${all} suspects`;
    draw();
  };

  const heads = document.querySelector("#list thead tr");
  columns.forEach(([name, title, key], index) => {
    const head = make("th", { scope: "col", class: name + (name === "rank" || name === "score" ? " number" : "") });
    if (key) {
      const button = make("button", { type: "button" }, title);
      button.addEventListener("click", () => {
        state.down = state.column === index && !state.down;
        state.column = index;
        for (const other of heads.children) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        renew();
      });
      head.append(button);
    } else {
      head.append(title);
    }
    heads.append(head);
  });
  heads.children[0].setAttribute("aria-sort", "ascending");

  const choices = (id, options) => {
    find(id).append(make("option", { value: "" }, "any"), ...options.map(([value, title]) => make("option", { value }, title)));
    find(id).addEventListener("change", renew);
  };
  const labels = [...new Set(rows.map((row) => row[LABEL]))].sort();
  choices("by-label", labels.map((label) => ["=" + label, label || "(no label)"]));
  const flagging = new Set(rows.flatMap((row) => row[FLAGS].map(([index]) => index)));
  choices("by-detector", [...flagging].sort((a, b) => a - b).map((index) => [String(index), data.detectors[index]]));
  choices("by-decision", [["none", "undecided"], ["any", "decided"], ...["keep", "remove", "relabel", "unsure"].map((word) => [word, word])]);
  let waiting = 0;
  find("words").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(renew, 120);
  });
  find("filters").addEventListener("submit", (event) => event.preventDefault());
  find("more").addEventListener("click", draw);
  new IntersectionObserver((seen) => {
    if (seen.some((entry) => entry.isIntersecting) && state.drawn > STEP) draw();
  }, { rootMargin: "600px" }).observe(find("more"));

  // One suspect.
  const dialog = find("detail");
  let shown = 0;
  const detail = (index) => {
    shown = index;
    const row = rows[index];
    const facts = [["rank", String(index + 1)], ["label", row[LABEL]], ["suggested", row[SUGGESTED]], ["split", row[SPLIT]],
      ["found by", row[FLAGS].map(([flag, score]) => `${data.detectors[flag]} ${score.toFixed(3)}`).join(", ")],
      ["why", row[REASON]], ["decision", decided(row)], ["by", row[REVIEWER]], ["tags", row[TAGS].join(", ")], ["note", row[NOTE]]];
    const list = make("dl");
    for (const [name, value] of facts.filter(([, value]) => value)) list.append(make("dt", {}, name), make("dd", {}, isolated(value)));
    const button = (title, act) => {
      const element = make("button", { type: "button" }, title);
      element.addEventListener("click", act);
      return element;
    };
    dialog.replaceChildren(make("h2", { id: "detail-path" }, isolated(row[PATH])), image(index, "the suspect"), list,
      make("div", { class: "buttons" }, button("Previous", () => step(-1)), button("Next", () => step(1)), button("Close", () => dialog.close())));
    if (!dialog.open) dialog.showModal();
  };
  const step = (by) => {
    const at = state.order.indexOf(shown) + by;
    if (at >= 0 && at < state.order.length) detail(state.order[at]);
    dialog.querySelectorAll("button")[by < 0 ? 0 : 1].focus();
  };
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });

  // The suspect nearest to the pointer on the map.
  const map = find("map");
  if (map) {
    const drawing = map.querySelector("svg");
    const [, , width, height] = drawing.getAttribute("viewBox").split(" ").map(Number);
    const nearest = (event) => {
      const box = drawing.getBoundingClientRect();
      const [x, y] = [(event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height];
      let [best, least] = [-1, 144];
      rows.forEach((row, index) => {
        if (!row[AT]) return;
        const away = (row[AT][0] - x) ** 2 + (row[AT][1] - y) ** 2;
        if (away < least) [best, least] = [index, away];
      });
      return best;
    };
    const hover = find("hover");
    map.addEventListener("pointermove", (event) => {
      const index = nearest(event);
      hover.hidden = index < 0;
      if (index < 0) return;
      const box = map.getBoundingClientRect();
      const [left, top] = [event.clientX - box.left, event.clientY - box.top];
      hover.replaceChildren(image(index, ""), isolated(`${rows[index][LABEL]} ${rows[index][SUGGESTED] ? "→ " + rows[index][SUGGESTED] : ""}`));
      hover.style.left = Math.max(0, Math.min(left + 14, box.width - 190)) + "px";
      hover.style.top = Math.max(0, Math.min(top + 14, box.height - 180)) + "px";
    });
    map.addEventListener("pointerleave", () => { hover.hidden = true; });
    map.addEventListener("click", (event) => {
      const index = nearest(event);
      if (index >= 0) detail(index);
    });
  }
  renew();
  document.documentElement.dataset.ready = String(rows.length);
})();
