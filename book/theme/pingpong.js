// What the pages need beyond Markdown. Each part stands alone, and without
// scripts every page is complete: its boxes wrap, and its folds open by hand.
"use strict";

(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // The file above a listing. (In the printed book its link is another one.)
  for (const link of all("p > a:only-child")) {
    const caption = link.parentElement;
    if (/\.(rs|py)$/.test(caption.textContent)
        && caption.textContent === link.textContent
        && caption.nextElementSibling?.tagName === "PRE")
      caption.classList.add("file");
  }

  // A listing of a method keeps the indentation of its file; its caption has
  // the `impl`. Take the indentation off.
  for (const code of all("pre code.language-rust, pre code.language-python")) {
    const lines = code.textContent.split("\n").filter(line => line.trim());
    const depth = Math.min(...lines.map(line => line.search(/\S/)));
    if (!lines.length || depth === 0) continue;
    const indent = new RegExp(`(^|\n) {${depth}}`, "g");
    const nodes = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    let atLineStart = true;
    while (nodes.nextNode()) {
      const node = nodes.currentNode;
      const text = atLineStart ? node.data : "\0" + node.data;
      atLineStart = node.data.endsWith("\n");
      node.data = text.replace(indent, "$1").replace("\0", "");
    }
  }

  // A name of ours in a listing leads to its definition, as in rustdoc.
  const root = typeof path_to_root === "string" ? path_to_root : "";
  const linked = (code, names) => {
    const nodes = document.createTreeWalker(code, NodeFilter.SHOW_TEXT, node =>
      node.parentElement.closest(".hljs-comment, .hljs-string, a")
        ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
    const texts = [];
    while (nodes.nextNode()) texts.push(nodes.currentNode);
    const called = node => node.parentElement.matches(".function_")
      && node.parentElement.nextSibling?.textContent.startsWith("(");
    for (const node of texts) {
      const parts = node.data.split(/\b([A-Za-z_]\w*)\b/);
      const isName = (part, at) => Object.hasOwn(names, part)
        && (/^[A-Z]/.test(part) || parts[at + 1].startsWith("(") || called(node));
      if (!parts.some(isName)) continue;
      node.replaceWith(...parts.map((part, at) => {
        if (!isName(part, at)) return part;
        const [place, phrase, comment] = globalThis.definitions[names[part]];
        const link = document.createElement("a");
        link.className = "name";
        link.href = `${root}${place}:~:text=${encodeURIComponent(phrase)}`;
        link.title = comment ? `${phrase}: ${comment}` : phrase;
        link.textContent = part;
        return link;
      }));
    }
  };
  for (const code of all("pre code.language-rust")) {
    const caption = code.closest("pre").previousElementSibling;
    const file = caption?.querySelector("a[href*='source/']")?.getAttribute("href");
    const names = globalThis.listingNames?.[file?.slice(file.indexOf("source/"))];
    if (names) linked(code, names);
  }

  // A table in a terminal, or in a listing: columns are worth more than the size
  // of the letters.
  const isRow = line => /\S {2,}\S/.test(line) && !line.startsWith("$ ");
  for (const code of all("pre code.language-console, pre code.language-rust")) {
    const isRust = code.classList.contains("language-rust");
    const rows = code.textContent.split("\n").filter(isRust ? () => true : isRow);
    const width = Math.max(0, ...rows.map(row => row.length));
    if (rows.length < 2 || width <= (isRust ? 84 : 60)) continue;
    code.classList.add("tabular");
    // The sentences below a table are wrapped already, at 100 columns.
    const wrapped = code.textContent.split("\n")
      .map(line => line.length).filter(length => length <= 100);
    code.style.setProperty("--columns", Math.max(width, ...wrapped));
  }

  // Of a terminal, the copy button takes the commands, without prompt and output.
  const commands = code => code.textContent.split("\n")
    .filter(line => line.startsWith("$ ")).map(line => line.slice(2));
  for (const code of all("pre code.language-console")) {
    if (!commands(code).length)
      all(".clip-button", code.parentElement).forEach(b => b.remove());
  }
  document.addEventListener("click", event => {
    const button = event.target.closest(".clip-button");
    const code = button?.closest("pre")?.querySelector("code.language-console");
    if (!code) return;
    event.stopImmediatePropagation();
    const said = text => {
      button.classList.add("tooltipped");
      button.querySelector(".tooltiptext").innerText = text;
    };
    navigator.clipboard.writeText(commands(code).join("\n") + "\n")
      .then(() => said("Copied!"), () => said("Clipboard error!"));
  }, true);

  // On a narrow screen a table that is too wide becomes a card for each row.
  const tables = all(".table-wrapper > table");
  for (const table of tables) {
    const heads = all("thead th", table).map(th => th.textContent);
    for (const row of all("tbody tr", table))
      all("td", row).forEach((td, column) => { td.dataset.head = heads[column]; });
  }
  const layOut = () => tables.forEach(table => {
    table.classList.remove("cards");
    const box = table.parentElement;
    table.classList.toggle("cards", box.scrollWidth > box.clientWidth);
  });
  layOut();
  addEventListener("resize", layOut);

  // On paper a fold cannot be opened.
  const folds = () => all("details:not([open])");
  let opened = [];
  const open = () => { opened = folds(); opened.forEach(d => { d.open = true; }); };
  addEventListener("beforeprint", open);
  addEventListener("afterprint", () => opened.forEach(d => { d.open = false; }));
  if (/print\.html$/.test(location.pathname)) {
    document.documentElement.classList.add("whole-book");
    open();
  }

  // mdBook's search splits at blanks and keeps Latin letters. Japanese has no
  // blanks, so a query with it looks for the text itself.
  const index = globalThis.elasticlunr?.Index.prototype;
  if (index) {
    const search = index.search;
    index.search = function (query, options) {
      if (!/[\u3000-\u9fff\uff00-\uffef]/.test(query))
        return search.call(this, query, options);
      const words = query.toLowerCase().split(/\s+/).filter(Boolean);
      const found = [];
      for (const [ref, doc] of Object.entries(this.documentStore.docs)) {
        const text = `${doc.title} ${doc.body}`.toLowerCase();
        const count = words.map(word => text.split(word).length - 1);
        if (count.every(Boolean))
          found.push({ ref, doc, score: count.reduce((a, b) => a + b) });
      }
      return found.sort((a, b) => b.score - a.score);
    };
  }
})();
