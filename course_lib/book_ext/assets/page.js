// Small things that every page of the book needs. No globals, no console.
(() => {
  const SCROLLERS = [
    ".bd-article pre",
    ".bd-article div.math",
    ".bd-article .cell_output > .output",
    ".bd-article .table-box",
    ".bd-article .figure-box",
  ].join(",");

  // What scrolls sideways must be reachable by keyboard; what does not must not be a tab stop.
  function markScrollers() {
    for (const box of document.querySelectorAll(SCROLLERS)) {
      const scrolls = box.scrollWidth > box.clientWidth + 1;
      if (scrolls) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  // A link to something inside a closed box opens the box.
  function openTarget() {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    let box = target.closest("details");
    if (!box) return;
    for (; box; box = box.parentElement.closest("details")) box.open = true;
    target.scrollIntoView();
  }

  // Paper cannot be clicked: print everything open, then restore.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(".bd-article details:not([open])")];
    for (const box of opened) box.open = true;
  });
  addEventListener("afterprint", () => {
    for (const box of opened) box.open = false;
  });

  addEventListener("hashchange", openTarget);
  addEventListener("load", () => {
    markScrollers();
    openTarget();
    // After the theme's own debounced handler, which would make every box a tab stop.
    let timer;
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(markScrollers, 400);
    };
    addEventListener("resize", later);
    document.addEventListener("toggle", later, true);
  });
})();
