// The marker's page. What students wrote arrives as JSON and enters the page as text only.

const at = (id) => document.getElementById(id);
const RETRY_MS = 5000;
const TYPING_MS = 600;
const ANSWER_MS = 20000;

let desk; // what does not change: title, questions with rubric, question of each item
let done = ""; // one sign an item: 0 unmarked, 1 marked, 2 marked for an earlier submission
let here = 0;
let mark; // {points: text, rubric: [indices], comment}, as shown
let seen = ""; // when the mark that this page showed was made
let unsaved = false;
let saving = null; // the running save, so that two never overtake each other
let queue = Promise.resolve(); // what keys and buttons asked for, one after another
let timer = 0;

async function ask(path, body) {
  const options = { signal: AbortSignal.timeout(ANSWER_MS) };
  if (body) {
    options.method = "POST";
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  let reply;
  try {
    reply = await fetch(path, options);
  } catch {
    throw new Error("course-grade review does not answer. Is it still running?");
  }
  const answer = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(answer.error ?? `the server said ${reply.status}`);
  return answer;
}

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// ---- saving

const draftKey = (n) => `${location.pathname}${n}`;

function changed(wait = 0) {
  unsaved = true;
  sessionStorage.setItem(draftKey(here), JSON.stringify({ mark, seen }));
  clearTimeout(timer);
  timer = setTimeout(save, wait);
  showMark();
}

function pointsOf(text) {
  if (!text.trim()) return null;
  const points = Number(text.trim().replace(",", "."));
  return points >= 0 && points <= question().points ? points : NaN;
}

async function save() {
  clearTimeout(timer);
  while (saving || unsaved) {
    if (saving) {
      await saving;
      continue;
    }
    const points = pointsOf(mark.points);
    if (Number.isNaN(points)) {
      return failed(`Points must be a number from 0 to ${question().points}.`, false);
    }
    saving = send(here, points).finally(() => { saving = null; });
    if (!(await saving)) return false;
  }
  return true;
}

async function send(n, points) {
  const sent = JSON.stringify(mark);
  try {
    const reply = await ask("mark", { ...mark, points, n, seen });
    done = reply.done;
    seen = reply.time;
    unsaved = JSON.stringify(mark) !== sent;
    if (!unsaved) sessionStorage.removeItem(draftKey(n));
    const over = reply.replaced ? ` It replaces the mark by ${reply.replaced}.` : "";
    at("alert").textContent = "";
    at("again").hidden = at("keep").hidden = at("note").hidden = true;
    at("status").textContent = `Saved at ${new Date().toLocaleTimeString()}.${over}`;
    showCount();
    return true;
  } catch (error) {
    return failed(`Not saved: ${error.message} What you typed stays here.`, true);
  }
}

function failed(message, retry) {
  at("status").textContent = "";
  at("alert").textContent = message;
  at("again").hidden = !retry;
  if (retry) timer = setTimeout(save, RETRY_MS);
  return false;
}

// ---- showing

const question = () => desk.questions[desk.items[here]];
const inQuestion = () => [...desk.items.keys()].filter((n) => desk.items[n] === desk.items[here]);

async function go(n, focus = true) {
  if (n === undefined || !(await save())) return;
  let item;
  try {
    item = await ask(`item?n=${n}`);
  } catch (error) {
    failed(`This answer cannot be shown: ${error.message}`, false);
    return;
  }
  if (!(await save())) return; // typed while the answer was on its way
  here = n;
  done = item.done;
  mark = item.mark ?? { points: "", rubric: [], comment: "" };
  seen = item.seen;
  history.replaceState(null, "", `#${n + 1}`);
  showItem(item);
  const draft = sessionStorage.getItem(draftKey(n));
  if (draft) {
    ({ mark, seen } = JSON.parse(draft));
    changed();
  }
  showMark();
  showCount();
  if (focus) at("heading").focus();
  scrollTo(0, 0);
}

function showItem(item) {
  const all = inQuestion();
  const place = `${all.indexOf(here) + 1} of ${all.length}`;
  at("heading").textContent = item.name ? `${item.name} (${place})` : `Answer ${place}`;
  document.title = `${question().name} ${place}`;
  at("question").value = desk.items[here];
  at("note").hidden = !item.note;
  at("note").textContent = item.note;
  at("keep").hidden = !item.stale;
  at("written").textContent = item.written || "This answer was left empty.";
  at("written").classList.toggle("soft", !item.written);
  const task = question().task;
  at("task").hidden = !task;
  at("task").lastElementChild.replaceChildren(element("pre", task, { dir: "auto" }));
  at("code").hidden = !item.cells.length;
  at("code").lastElementChild.replaceChildren(...item.cells.flatMap(showCell));
  at("alert").textContent = at("status").textContent = "";
  at("again").hidden = true;
  showRubric();
  showEarlier(item.comments);
  at("answer").hidden = at("marking").hidden = false;
}

function showCell(cell) {
  const parts = [element("h3", `${cell.id}: ${cell.said}`), element("pre", cell.source)];
  if (cell.message) parts.push(element("pre", cell.message, { class: "bad" }));
  for (const [kind, data] of cell.outputs) {
    const picture = { src: `data:image/png;base64,${data}`, alt: "Picture that this cell drew" };
    parts.push(kind === "png" ? element("img", "", picture) : element("pre", data));
  }
  return parts;
}

function keyed(key, text, more = "") {
  const button = element("button", "", { type: "button" });
  button.append(element("kbd", key), element("span", text, { class: "what", dir: "auto" }));
  if (more) button.append(element("span", more, { class: "points-of" }));
  return button;
}

function showRubric() {
  const buttons = question().rubric.map((line, i) => {
    const button = keyed(i < 9 ? `${i + 1}` : "·", line.text, `${line.points}`);
    button.addEventListener("click", () => run(() => toggle(i)));
    return button;
  });
  at("rubric").replaceChildren(...buttons);
  at("most").textContent = `of ${question().points}`;
}

function showEarlier(comments) {
  const buttons = comments.map((comment, i) => {
    const button = keyed(`⇧${i + 1}`, comment);
    button.addEventListener("click", () => run(() => addComment(comment)));
    return button;
  });
  at("earlier").hidden = !buttons.length;
  at("earlier").replaceChildren(element("span", "Used before", { class: "soft" }), ...buttons);
}

function showMark() {
  for (const [i, button] of [...at("rubric").children].entries()) {
    button.setAttribute("aria-pressed", String(mark.rubric.includes(i)));
  }
  if (at("points").value !== mark.points) at("points").value = mark.points;
  at("points").setAttribute("aria-invalid", String(Number.isNaN(pointsOf(mark.points))));
  if (at("comment").value !== mark.comment) at("comment").value = mark.comment;
}

function showCount() {
  const all = inQuestion();
  const marked = all.filter((n) => done[n] === "1").length;
  at("count").textContent = `${marked} of ${all.length} marked, by ${desk.marker}`;
}

// ---- marking

function toggle(i) {
  const { rubric } = question();
  if (!rubric[i]) return;
  const on = mark.rubric.includes(i);
  mark.rubric = on ? mark.rubric.filter((j) => j !== i) : [...mark.rubric, i].sort((a, b) => a - b);
  const sum = mark.rubric.reduce((total, j) => total + rubric[j].points, 0);
  const bounded = Math.min(Math.max(sum, 0), question().points);
  // No line is no mark: zero is given with 0, so that a slip does not fail anybody.
  mark.points = mark.rubric.length ? String(Number(bounded.toFixed(6))) : "";
  changed();
}

function give(points, rubric) {
  mark.points = String(points);
  mark.rubric = rubric;
  changed();
}

function addComment(comment) {
  mark.comment = mark.comment.trim() ? `${mark.comment.trimEnd()}\n${comment}` : comment;
  changed();
}

// ---- moving

// A quick hand presses keys while the next answer is on its way: they belong to that one.
function run(action) {
  queue = queue.then(action).catch((error) => failed(String(error), false));
  return queue;
}

function step(by) {
  const all = inQuestion();
  return go(all[all.indexOf(here) + by]);
}

async function nextUnmarked() {
  if (!(await save())) return;
  const n = desk.items.length;
  const order = Array.from({ length: n }, (_, i) => (here + 1 + i) % n);
  const same = order.filter((i) => desk.items[i] === desk.items[here]);
  const found = [...same, ...order].find((i) => done[i] !== "1");
  if (found === undefined) at("status").textContent = "Everything is marked.";
  else await go(found);
}

function pressed(button, action) {
  at(button).addEventListener("click", async () => {
    await run(action);
    at(button).focus(); // whoever presses a button presses it again
  });
}

const KEYS = {
  n: () => step(1),
  ArrowRight: () => step(1),
  p: () => step(-1),
  ArrowLeft: () => step(-1),
  u: nextUnmarked,
  Enter: nextUnmarked,
  f: () => give(question().points, []),
  0: () => give(0, []),
  c: () => at("comment").focus(),
  o: () => at("points").select(),
  e: () => { at("code").open = !at("code").open; },
  k: () => at("keep").hidden || changed(),
  s: save,
  "?": () => { at("help").open = !at("help").open; },
};

function onKey(event) {
  const field = event.target.closest("textarea, input, select");
  if (event.key === "Escape" && field) {
    at("heading").focus();
    return;
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run(nextUnmarked);
    return;
  }
  if (field === at("points") && event.key === "Enter") {
    at("heading").focus();
    return;
  }
  const other = event.ctrlKey || event.metaKey || event.altKey;
  const opens = event.key === "Enter" && event.target.closest("button, summary");
  const action = actionOf(event);
  if (!action || field || other || opens || !at("shortcuts").checked) return;
  event.preventDefault();
  run(action);
}

function actionOf(event) {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
  if (digit && event.shiftKey) {
    return () => at("earlier").querySelectorAll("button")[digit - 1]?.click();
  }
  if (digit) return () => toggle(digit - 1);
  return KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
}

// ---- start

function listen() {
  document.addEventListener("keydown", onKey);
  pressed("next", () => step(1));
  pressed("previous", () => step(-1));
  pressed("unmarked", nextUnmarked);
  pressed("again", save);
  for (const [button, key] of [["full", "f"], ["zero", "0"], ["keep", "k"]]) {
    at(button).addEventListener("click", () => run(KEYS[key]));
  }
  at("question").addEventListener("change", (event) => {
    run(() => go(desk.items.indexOf(Number(event.target.value)), false));
  });
  for (const field of ["points", "comment"]) {
    at(field).addEventListener("input", () => {
      mark[field] = at(field).value;
      changed(TYPING_MS);
    });
    at(field).addEventListener("change", save);
  }
  addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
}

async function start() {
  try {
    desk = await ask("desk");
  } catch (error) {
    at("title").textContent = error.message;
    return;
  }
  at("title").textContent = desk.title;
  if (!desk.items.length) {
    at("count").textContent = desk.empty;
    for (const button of document.querySelectorAll("nav button")) button.disabled = true;
    return;
  }
  const options = desk.questions.map((q, i) => element("option", q.name, { value: i }));
  at("question").append(...options);
  at("questions").hidden = options.length < 2;
  listen();
  const asked = Number(location.hash.slice(1)) - 1;
  await go(asked in desk.items ? asked : Math.max(0, desk.done.search(/[02]/)));
}

start();
