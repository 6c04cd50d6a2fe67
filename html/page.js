// Makes the page interactive: setups to choose from, a table to sort and search, a picture to pan and zoom, and one selection for
// all of them, which is the URL fragment (html/anchors.h describes the fragments).
//
// Everything it shows is already in the page. Text from a report never becomes markup here.
"use strict";

document.documentElement.classList.add("js");

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// "3-5,9" as [[3, 5], [9, 9]].
function parseRanges(text) {
  return text
    .split(",")
    .filter(Boolean)
    .map((part) => {
      const [first, last = first] = part.split("-").map(Number);
      return [first, last];
    });
}

function isWithin(ranges, number) {
  return ranges.some(([first, last]) => first <= number && number <= last);
}

// ---- The table of parameters. Only the first `shown` of the matching rows, `found`, are in the document, so that ten thousand
// ---- rows cost little.

const step = 200;

class ParameterTable {
  constructor(table, onSelect) {
    this.body = table.tBodies[0];
    this.onSelect = onSelect;
    this.rows = Array.from(this.body.rows, (row, index) => ({ row, index }));
    this.byId = new Map(this.rows.map((each) => [each.row.id, each]));
    this.found = this.rows;
    this.asWritten = new Map();
    this.makeSearch(table);
    this.makeSortable(table);
    this.show(step);
    this.listen(table);
    this.readAhead();
  }

  // ---- Searching.

  makeSearch(table) {
    this.input = make("input", {
      type: "search",
      placeholder: "name, index, tensor, outcome, region",
      "aria-label": "Search parameters",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.only = make(
      "select",
      { "aria-label": "Which parameters" },
      make("option", { value: "all" }, "all parameters"),
      make("option", { value: "affected" }, "affected parameters"),
    );
    this.count = make("output", { "aria-live": "polite" });
    const box = make("div", { class: "search" }, this.input, this.only, this.count);
    table.before(box);
    this.input.addEventListener("input", () => this.find());
    this.only.addEventListener("change", () => this.find());
    this.countRows();
  }

  text(each) {
    return (each.text ??= Array.from(each.row.cells, (cell) => cell.textContent)
      .join(" ")
      .toLowerCase());
  }

  // Reads the text of the rows while idle, so that the first search does not have to.
  readAhead(next = 0) {
    window.requestIdleCallback?.((deadline) => {
      while (next < this.rows.length && deadline.timeRemaining() > 1) this.text(this.rows[next++]);
      if (next < this.rows.length) this.readAhead(next);
    });
  }

  // "#157" is an index.
  matches(each, words) {
    return words.every((word) => (/^#\d+$/.test(word) ? each.index === Number(word.slice(1)) : this.text(each).includes(word)));
  }

  find() {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = this.only.value === "all";
    this.found = this.rows.filter((each) => (all || this.isAffected(each)) && this.matches(each, words));
    this.show(step);
    this.countRows();
  }

  isAffected(each) {
    const outcome = each.row.cells[2].className;
    return outcome === "error" || outcome === "silent" || outcome === "unknown";
  }

  countRows() {
    this.count.textContent =
      this.found.length === this.rows.length ? `${this.rows.length}` : `${this.found.length} of ${this.rows.length}`;
  }

  // ---- Sorting. The header has two lines: titles for groups of three columns, and below them titles for the columns.

  makeSortable(table) {
    const [above, below] = table.tHead.rows;
    const single = Array.from(above.cells).filter((cell) => cell.scope === "col");
    const columns = [...single.slice(0, 4), ...below.cells, ...single.slice(4)];
    this.headers = columns;
    columns.forEach((header, column) => {
      const button = make("button", { type: "button" }, ...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => this.sort(column));
    });
    columns[0].setAttribute("aria-sort", "ascending");
  }

  key(each, column) {
    const cell = each.row.cells[column];
    if (column === 0) return each.index;
    if (column >= 4 && column <= 9) return Number(cell.textContent);
    if (column === 2) return ["error", "silent", "unknown", "note", "pass"].indexOf(cell.className) + cell.textContent;
    return cell.textContent;
  }

  sort(column) {
    const up = this.headers[column].getAttribute("aria-sort") !== "ascending";
    for (const header of this.headers) header.removeAttribute("aria-sort");
    this.headers[column].setAttribute("aria-sort", up ? "ascending" : "descending");
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    const keyed = this.rows.map((each) => [this.key(each, column), each]);
    keyed.sort(([a, x], [b, y]) => (typeof a === "number" ? a - b : compare(a, b)) * (up ? 1 : -1) || x.index - y.index);
    this.rows = keyed.map(([, each]) => each);
    this.find();
  }

  // ---- Showing.

  show(number) {
    this.shown = Math.min(number, this.found.length);
    this.body.replaceChildren(...this.found.slice(0, this.shown).map((each) => each.row));
    this.restTabs();
  }

  showMore(number) {
    const end = Math.min(this.shown + number, this.found.length);
    this.body.append(...this.found.slice(this.shown, end).map((each) => each.row));
    this.shown = end;
    this.restTabs();
  }

  // The Tab key stops at only one of the links in rows; arrow keys move on from there.
  restTabs() {
    for (const link of this.body.querySelectorAll("th a:not([tabindex])")) link.tabIndex = -1;
    const row = this.selected?.row.isConnected ? this.selected.row : this.body.rows[0];
    if (row) this.restTabAt(row.querySelector("th a"));
  }

  restTabAt(link) {
    if (this.rest) this.rest.tabIndex = -1;
    this.rest = link;
    link.tabIndex = 0;
  }

  listen(table) {
    const end = make("div", { "aria-hidden": "true" });
    table.after(end);
    new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) this.showMore(step);
      },
      { rootMargin: "600px" },
    ).observe(end);
    window.addEventListener("beforeprint", () => this.showMore(this.found.length));
    this.body.addEventListener("click", (event) => this.click(event));
    this.body.addEventListener("keydown", (event) => this.move(event));
  }

  click(event) {
    const row = event.target.closest("tr");
    if (!row || event.target.closest("button") || event.ctrlKey || event.metaKey || String(getSelection())) return;
    event.preventDefault();
    this.onSelect(row.id);
  }

  move(event) {
    const to = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const link = event.target.closest("tr")?.[to]?.querySelector("th a");
    if (!link) return;
    event.preventDefault();
    this.restTabAt(link);
    link.focus();
  }

  // Marks a row as selected, showing it if it is hidden.
  select(each) {
    this.selected?.row.removeAttribute("aria-current");
    this.selected = each;
    if (!each) return;
    if (!this.found.includes(each)) {
      this.input.value = "";
      this.only.value = "all";
      this.find();
    }
    if (!each.row.isConnected) this.showMore(this.found.indexOf(each) + step - this.shown);
    each.row.setAttribute("aria-current", "true");
    this.restTabs();
  }

  // ---- Shows the outcomes in the selected setup.

  showOutcomes(outcomes, named) {
    for (const each of this.rows) {
      const cell = each.row.cells[2];
      const [words, level] = outcomes.find(([, , ranges]) => isWithin(ranges, each.index)) ?? ["ok", "pass"];
      const text = words + (isWithin(named, each.index) ? ", named" : "");
      if (cell.textContent === text && cell.className === level) continue;
      cell.className = level;
      cell.textContent = text;
      each.text = undefined;
    }
    this.find();
  }
}

// ---- A picture in a viewport. Its state is the scale and the position of the picture's corner.

class Viewer {
  constructor(figure, { onParameter, onRegion }) {
    this.figure = figure;
    this.canvas = figure.querySelector(".canvas");
    this.onParameter = onParameter;
    this.onRegion = onRegion;
    this.stages = JSON.parse(figure.dataset.stages).map(parseRanges);
    const template = this.canvas.querySelector("template");
    if (template) this.canvas.attachShadow({ mode: "open" }).append(template.content);
    this.svg = this.canvas.shadowRoot.querySelector("svg");
    this.size = this.naturalSize();
    this.pointers = new Map();
    this.frame();
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    window.addEventListener("beforeprint", () => this.print());
    window.addEventListener("afterprint", () => this.reset());
  }

  // In pixels.
  naturalSize() {
    const { width, height } = this.svg.viewBox.baseVal;
    const scale = this.svg.width.baseVal.value / width || 1;
    return { width: width * scale, height: height * scale };
  }

  frame() {
    this.figure.classList.add("viewer");
    this.svg.setAttribute("width", this.size.width);
    this.svg.setAttribute("height", this.size.height);
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "group");
    this.canvas.setAttribute("aria-roledescription", "zoomable picture");
    this.canvas.setAttribute(
      "aria-label",
      "Picture of the conflict. Arrow keys move it, plus and minus zoom, 0 fits its width.",
    );
    const button = (text, label, act) => {
      const element = make("button", { type: "button", "aria-label": label, title: label }, text);
      element.addEventListener("click", act);
      return element;
    };
    this.canvas.before(
      make(
        "div",
        { class: "tools" },
        make("small", {}, "Click a parameter or region to find its row. Drag to move; click the picture first to zoom with the wheel."),
        button("+", "Zoom in", () => this.zoom(1.25)),
        button("−", "Zoom out", () => this.zoom(0.8)),
        button("whole", "Show the whole picture", () => this.fitWhole()),
        button("width", "Fit the width", () => this.fit()),
      ),
    );
  }

  resize() {
    const width = this.canvas.clientWidth;
    if (width === 0 || width === this.width || this.printing) return;
    this.width = width;
    this.canvas.style.height = `${Math.min(this.size.height * this.fitting() + 2, 0.8 * window.innerHeight)}px`;
    this.canvas.style.position = "relative";
    this.reset();
  }

  // As if there were no script.
  print() {
    this.printing = true;
    this.svg.style.cssText = "";
  }

  // Shows the whole width, or centres what is framed.
  reset() {
    this.printing = false;
    this.svg.style.cssText = "max-width:none;transform-origin:0 0;position:absolute";
    this.fit();
    if (this.framed) this.centre(this.framed);
  }

  // The scale at which the whole width is visible.
  fitting() {
    return Math.min(1, this.width / this.size.width);
  }

  fit() {
    this.place(this.fitting(), 0, 0);
  }

  fitWhole() {
    this.place(Math.min(this.fitting(), this.canvas.clientHeight / this.size.height), 0, 0);
  }

  // A picture smaller than the viewport is centred; a larger one always covers the viewport.
  place(scale, x, y) {
    const within = (at, window, size) => (size <= window ? (window - size) / 2 : Math.min(0, Math.max(window - size, at)));
    this.scale = Math.min(8, Math.max(0.05, scale));
    this.x = within(x, this.canvas.clientWidth, this.size.width * this.scale);
    this.y = Math.min(0, within(y, this.canvas.clientHeight, this.size.height * this.scale));
    this.svg.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.canvas.classList.toggle("free", this.size.width * this.scale > this.canvas.clientWidth + 1);
  }

  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const scale = Math.min(8, Math.max(0.05, this.scale * factor));
    this.place(scale, x - ((x - this.x) * scale) / this.scale, y - ((y - this.y) * scale) / this.scale);
  }

  listen() {
    const on = (type, act) => this.canvas.addEventListener(type, act, { passive: false });
    on("wheel", (event) => this.wheel(event));
    on("keydown", (event) => this.key(event));
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.drag(event));
    for (const type of ["pointerup", "pointercancel"]) on(type, (event) => this.up(event));
    on("click", (event) => this.click(event));
  }

  // The wheel scrolls the page unless the picture has focus.
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== this.canvas) return;
    event.preventDefault();
    const box = this.canvas.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), event.clientX - box.left, event.clientY - box.top);
  }

  key(event) {
    const far = 60;
    const moves = { ArrowLeft: [far, 0], ArrowRight: [-far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (moves[event.key]) this.place(this.scale, this.x + moves[event.key][0], this.y + moves[event.key][1]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else if (event.key === "Escape") this.canvas.blur();
    else return;
    event.preventDefault();
  }

  // One pointer drags, two pinch. A pointer is captured only once it has moved, so that clicks reach their target.
  down(event) {
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.moved = 0;
  }

  drag(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const before = this.spread();
    const by = { x: event.clientX - last.x, y: event.clientY - last.y };
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.moved += Math.abs(by.x) + Math.abs(by.y);
    if (this.moved < 4) return;
    if (!this.canvas.hasPointerCapture(event.pointerId)) this.canvas.setPointerCapture(event.pointerId);
    this.canvas.classList.add("moving");
    const share = 1 / this.pointers.size;
    this.place(this.scale, this.x + by.x * share, this.y + by.y * share);
    const after = this.spread();
    if (before && after) this.zoom(after.distance / before.distance, after.x, after.y);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    this.canvas.classList.remove("moving");
  }

  // The distance between two pointers, and their midpoint.
  spread() {
    if (this.pointers.size !== 2) return null;
    const [a, b] = this.pointers.values();
    const box = this.canvas.getBoundingClientRect();
    return { distance: Math.hypot(a.x - b.x, a.y - b.y) || 1, x: (a.x + b.x) / 2 - box.left, y: (a.y + b.y) / 2 - box.top };
  }

  click(event) {
    if (this.moved >= 4) return event.preventDefault();
    for (const element of event.composedPath()) {
      if (element === this.canvas) break;
      const { region, parameter, parameters } = element.dataset ?? {};
      const [[first] = []] = this.parametersOf(element);
      if (region === undefined && first === undefined) continue;
      event.preventDefault();
      return region === undefined || (parameter ?? parameters) ? this.onParameter(first) : this.onRegion(Number(region));
    }
  }

  // ---- What a part of the picture stands for: one parameter, several, or all parameters of some stages.

  parametersOf(element) {
    const { parameter, parameters, stage, lastStage = stage } = element.dataset ?? {};
    if (parameter ?? parameters) return parseRanges(parameter ?? parameters);
    if (stage === undefined) return [];
    return this.stages.slice(Number(stage), Number(lastStage) + 1).flat();
  }

  // The most specific parts that stand for a parameter: those shared with the fewest others.
  partsOf(parameter) {
    const size = (ranges) => ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    let fewest = Infinity,
      parts = [];
    for (const element of this.svg.querySelectorAll("[data-parameter], [data-parameters], [data-stage]")) {
      const ranges = this.parametersOf(element);
      if (!isWithin(ranges, parameter) || size(ranges) > fewest) continue;
      if (size(ranges) < fewest) parts = [];
      fewest = size(ranges);
      parts.push(element);
    }
    return parts;
  }

  // Frames the parts that stand for a parameter and centres the first. Returns false if there are none.
  highlight(parameter) {
    for (const frame of this.svg.querySelectorAll(".page-focus")) frame.remove();
    const parts = parameter === undefined ? [] : this.partsOf(parameter);
    for (const part of parts) this.svg.append(this.frameAround(part));
    this.framed = parts[0];
    if (this.framed && this.width) this.centre(this.framed);
    return parts.length > 0;
  }

  frameAround(part) {
    const [box, matrix, margin] = [part.getBBox(), this.svg.getCTM().inverse().multiply(part.getCTM()), 4];
    const frame = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const attributes = {
      class: "page-focus",
      x: box.x - margin,
      y: box.y - margin,
      width: box.width + 2 * margin,
      height: box.height + 2 * margin,
      rx: 6,
      fill: "none",
      "stroke-width": 3,
      "pointer-events": "none",
      transform: `matrix(${matrix.a} ${matrix.b} ${matrix.c} ${matrix.d} ${matrix.e} ${matrix.f})`,
    };
    for (const [key, value] of Object.entries(attributes)) frame.setAttribute(key, value);
    frame.style.stroke = "var(--blue)";
    return frame;
  }

  centre(part) {
    const [box, window] = [part.getBoundingClientRect(), this.canvas.getBoundingClientRect()];
    const by = {
      x: window.left + window.width / 2 - box.left - box.width / 2,
      y: window.top + window.height / 2 - box.top - box.height / 2,
    };
    this.place(this.scale, this.x + by.x, this.y + by.y);
  }
}

// ---- The part of the page for one file.

class Article {
  constructor(element, go) {
    this.element = element;
    this.prefix = element.id.slice(0, -"file=".length);
    this.panels = Array.from(element.querySelectorAll(".setup"));
    const table = element.querySelector(".parameters");
    if (table) this.table = new ParameterTable(table, (id) => go(id, false));
    this.go = go;
    this.viewers = new Map();
    this.choices = Array.from(element.querySelectorAll(".setups a"));
    for (const choice of this.choices) this.makeChoice(choice);
    for (const panel of this.panels) {
      panel.querySelector("summary").tabIndex = -1;
      panel.querySelector("summary").addEventListener("click", (event) => event.preventDefault());
    }
  }

  makeChoice(choice) {
    const id = decodeURIComponent(choice.hash.slice(1));
    choice.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.go(id, false);
    });
  }

  asked() {
    return this.panels.find((panel) => panel.querySelector("summary .asked")) ?? this.panels[0];
  }

  choose(panel) {
    if (!panel || panel === this.current) return;
    this.current?.classList.remove("current");
    this.current = panel;
    panel.classList.add("current");
    panel.open = true;
    for (const choice of this.choices) {
      if (decodeURIComponent(choice.hash.slice(1)) === panel.id) choice.setAttribute("aria-current", "true");
      else choice.removeAttribute("aria-current");
    }
    const outcomes = JSON.parse(panel.dataset.outcomes).map(([words, level, ranges]) => [words, level, parseRanges(ranges)]);
    if (this.chosen || panel !== this.asked()) this.table?.showOutcomes(outcomes, parseRanges(panel.dataset.named ?? ""));
    this.chosen = true;
    this.viewer()?.highlight(this.table?.selected?.index);
  }

  // The viewer of the selected setup, created on first use.
  viewer() {
    const figure = this.current?.querySelector("figure");
    if (!figure) return undefined;
    if (!this.viewers.has(figure)) {
      this.viewers.set(
        figure,
        new Viewer(figure, {
          onParameter: (parameter) => this.go(this.table.rows.find(({ index }) => index === parameter).row.id, true),
          onRegion: (region) => {
            location.hash = `#${this.prefix}region=${region}`;
          },
        }),
      );
    }
    return this.viewers.get(figure);
  }

  select(each) {
    this.table.select(each);
    const viewer = this.viewer();
    const drawn = viewer?.highlight(each.index);
    this.tools?.remove();
    if (!drawn) return;
    const button = make("button", { type: "button" }, "show in picture");
    button.addEventListener("click", () => {
      viewer.reset();
      viewer.figure.scrollIntoView({ block: "center" });
      viewer.canvas.focus({ preventScroll: true });
    });
    this.tools = make("span", { class: "row-tools" }, button);
    each.row.cells[1].append(this.tools);
  }

  // The row that a fragment refers to by id, parameter name or index.
  find(fragment) {
    if (!this.table) return undefined;
    const { byId, rows } = this.table;
    return (
      byId.get(fragment) ??
      byId.get(this.prefix + fragment) ??
      (/^\d+$/.test(fragment) ? rows.find(({ index }) => index === Number(fragment)) : undefined)
    );
  }
}

// ---- The whole page.

class Page {
  constructor() {
    this.articles = Array.from(
      document.querySelectorAll("article"),
      (element) => new Article(element, (id, scroll) => this.go(id, scroll)),
    );
    for (const article of this.articles) article.choose(article.asked());
    document.documentElement.classList.add("ready");
    window.addEventListener("hashchange", () => this.follow(true));
    // Wait until the browser has followed the fragment itself, which takes the focus away.
    if (document.readyState === "complete") this.follow(true);
    else window.addEventListener("load", () => this.follow(true));
  }

  go(id, scroll) {
    history.pushState(null, "", "#" + encodeURIComponent(id).replace(/%(2C|3D|2F|3A|40|24|2B|3B)/g, decodeURIComponent));
    this.follow(scroll);
  }

  follow(scroll) {
    let fragment = location.hash.slice(1);
    try {
      fragment = decodeURIComponent(fragment);
    } catch {
      // Not percent-encoded: use it as it is.
    }
    if (!fragment) return this.articles.forEach((article) => article.choose(article.asked()));
    for (const article of this.articles) if (this.followIn(article, fragment, scroll)) return;
    if (scroll) document.getElementById(fragment)?.scrollIntoView();
  }

  followIn(article, fragment, scroll) {
    const panel = article.panels.find(({ id }) => id === fragment);
    if (panel) {
      article.choose(panel);
      if (scroll) panel.scrollIntoView({ block: "nearest" });
      return true;
    }
    const each = article.find(fragment);
    if (!each) return false;
    article.select(each);
    if (scroll) {
      each.row.scrollIntoView({ block: "center" });
      each.row.querySelector("th a").focus({ preventScroll: true });
    }
    return true;
  }
}

document.addEventListener("DOMContentLoaded", () => new Page());
