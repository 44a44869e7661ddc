// Steps through the time lines. Each figure is complete without this script.
// Here it gets buttons, arrow keys while it has the focus, and a panel with
// the call, its line of source, and what the kernel holds after it.
"use strict";

(() => {
  const make = (tag, name, text = "") => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.textContent = text;
    return element;
  };

  // What the kernel holds, one row each: its name, and what is in it.
  const bytes = ([name, count]) =>
    ({ name, text: `${name} ${count.toLocaleString("en-US")} B`, count });
  const plain = name => ({ name, text: name });
  const entries = object => Object.entries(object ?? {});
  const ROWS = [
    ["accept queue", state => (state.queue ?? []).map(plain)],
    ["unread by the server", state => [
      ...entries(state.unread).map(bytes),
      ...(state.fin ?? []).map(name => ({ name, text: `${name} FIN` })),
      ...(state.reset ?? []).map(name => ({ name, text: `${name} reset` })),
    ]],
    ["unread by clients", state => entries(state.sent).map(bytes)],
    ["interest", state => entries(state.interest)
      .map(([name, flags]) => ({ name, text: `${name}: ${flags}` }))],
    ["ready list", state => (state.ready ?? []).map(plain)],
  ];
  // What is derived for some scenes alone.
  const rowsOf = part => {
    const names = part.steps.flatMap(
      ({ derived }) => Object.keys(derived.more ?? {}));
    const row = name => [name, state => (state.more?.[name] ?? []).map(plain)];
    return [...ROWS, ...[...new Set(names)].sort().map(row)];
  };

  const milliseconds = time =>
    `${time < 10 ? time.toFixed(2) : time < 100 ? time.toFixed(1) : Math.round(time)} ms`;

  const call = step => {
    const result = step.result || "…";
    const times = step.times ? `, ${step.times} times` : "";
    return `${step.call}(${step.args}) = ${result}${times}`;
  };

  const timing = step => {
    const took = step.end - step.begin;
    if (!step.result && step.waits)
      return `since ${milliseconds(step.begin)}, still waits`;
    return step.waits
      ? `from ${milliseconds(step.begin)}, waited ${milliseconds(took)}`
      : `at ${milliseconds(step.begin)}`;
  };

  class Figure {
    constructor(figure) {
      this.figure = figure;
      this.timeline = JSON.parse(figure.dataset.timeline);
      // All parts' steps in one row, as the picture numbers them.
      this.steps = this.timeline.parts.flatMap(
        part => part.steps.map(step => ({ part, step })));
      this.now = -1;
      this.wrapPicture();
      this.makeControls();
      this.makePanel();
      this.listen();
    }

    wrapPicture() {
      this.stage = make("div", "tl-stage");
      const caption = this.figure.querySelector("figcaption");
      const pictures = [...this.figure.children].filter(e => e !== caption);
      this.stage.append(...pictures);
      this.figure.prepend(this.stage);
      this.stage.tabIndex = 0;
      this.stage.setAttribute("role", "group");
      this.stage.setAttribute("aria-label",
        `${this.timeline.title}: the arrow keys step through the calls`);
      this.groups = [];
      for (const group of this.stage.querySelectorAll("[data-step]"))
        this.groups[group.dataset.step] = group;
    }

    makeControls() {
      this.controls = make("div", "tl-controls");
      const button = (text, label, action) => {
        const element = make("button", "", text);
        element.type = "button";
        element.setAttribute("aria-label", label);
        element.addEventListener("click", action);
        this.controls.append(element);
        return element;
      };
      this.back = button("◀ back", "one step back", () => this.go(this.now - 1));
      this.forward = button("step ▶", "one step forward",
        () => this.go(this.now + 1));
      this.whole = button("whole", "the whole picture", () => this.go(-1));
      this.count = make("span", "tl-count");
      this.controls.append(this.count);
      this.figure.prepend(this.controls);
    }

    makePanel() {
      this.panel = make("div", "tl-panel");
      // Read aloud as soon as it changes; the rest is for the eye.
      this.said = make("div", "tl-said");
      this.said.setAttribute("aria-live", "polite");
      this.kernel = make("dl", "tl-kernel");
      this.code = make("ol", "tl-code");
      this.panel.append(this.said, this.code, this.kernel);
      this.panel.hidden = true;
      this.controls.after(this.panel);
      this.show();
    }

    listen() {
      this.figure.addEventListener("keydown", event => this.key(event));
      this.stage.addEventListener("click", event => {
        const group = event.target.closest?.("[data-step]");
        if (group) this.go(Number(group.dataset.step));
      });
    }

    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const to = {
        ArrowRight: this.now + 1, ArrowDown: this.now + 1,
        ArrowLeft: this.now - 1, ArrowUp: this.now - 1,
        Home: 0, End: this.steps.length - 1, Escape: -1,
      }[event.key];
      if (to === undefined) return;
      // The arrows turn the book's pages elsewhere.
      event.preventDefault();
      event.stopPropagation();
      this.go(to);
    }

    go(to) {
      this.now = Math.max(-1, Math.min(to, this.steps.length - 1));
      this.show();
    }

    show() {
      const stepping = this.now >= 0;
      this.figure.classList.toggle("tl-stepping", stepping);
      this.panel.hidden = !stepping;
      this.back.disabled = !stepping;
      this.whole.disabled = !stepping;
      this.forward.disabled = this.now === this.steps.length - 1;
      this.count.textContent = stepping
        ? `${this.now + 1} of ${this.steps.length}`
        : `${this.steps.length} steps`;
      this.groups.forEach((group, index) => {
        group.classList.toggle("tl-now", index === this.now);
        group.classList.toggle("tl-later", stepping && index > this.now);
      });
      if (!stepping) return;
      const { part, step } = this.steps[this.now];
      this.say(part, step);
      this.showCode(part, step);
      this.showKernel(part, step);
      this.scroll();
    }

    say(part, step) {
      const server = this.timeline.parts.length > 1 ? `${part.server}, ` : "";
      const who = part.clients.includes(step.by) && step.by !== "signal"
        ? `client ${step.by}` : step.by;
      const line = make("div", "tl-who");
      line.append(make("b", this.colour(part, step.client), `${server}${who}`),
        ` ${timing(step)}`);
      const reported = {
        epoll_wait: "reported", epoll_pwait: "reported",
        io_uring_enter: "completed, derived",
      }[step.call];
      const events = step.events?.length && reported
        ? make("div", "", `${reported}: ${step.events.join(", ")}`) : "";
      this.said.replaceChildren(line, make("code", "tl-call", call(step)),
        events);
    }

    colour(part, name) {
      const index = part.clients.indexOf(name);
      return index < 0 || name === "signal" ? "tl-none" : `tl-${index % 4}`;
    }

    showCode(part, step) {
      const lines = part.code.map(({ file, line, text }, index) => {
        const item = make("li", index === step.code ? "tl-here" : "");
        item.append(make("small", "", `${file}:${line}`),
          make("code", "", text));
        return item;
      });
      this.code.replaceChildren(...lines);
      this.code.hidden = !lines.length;
    }

    showKernel(part, step) {
      const rows = [];
      for (const [title, read] of rowsOf(part)) {
        const all = part.steps.map(({ derived }) => read(derived));
        if (!all.some(things => things.length)) continue;
        const most = Math.max(...all.flat().map(({ count }) => count ?? 0));
        const value = make("dd", "");
        value.append(...read(step.derived)
          .map(thing => this.chip(part, thing, most)));
        rows.push(make("dt", "", title), value);
      }
      if (rows.length)
        rows.unshift(make("div", "tl-derived",
          "What is where then, derived from the calls:"));
      this.kernel.replaceChildren(...rows);
    }

    chip(part, { name, text, count }, most) {
      const chip = make("span", `tl-chip ${this.colour(part, name)}`, text);
      // A reply of five bytes is to be seen beside a full buffer.
      const share = count ? Math.sqrt(count / most) : 0;
      chip.style.setProperty("--full", `${Math.round(share * 100)}%`);
      return chip;
    }

    // Within the picture alone: the page stays where it is.
    scroll() {
      const group = this.groups[this.now];
      if (!group) return;
      const box = group.getBoundingClientRect();
      const stage = this.stage.getBoundingClientRect();
      const room = stage.height / 3;
      if (box.top < stage.top + room || box.bottom > stage.bottom - room)
        this.stage.scrollTop += (box.top + box.bottom) / 2
          - (stage.top + stage.bottom) / 2;
    }
  }

  for (const figure of document.querySelectorAll("figure.timeline"))
    new Figure(figure);
})();
