// Self-marking questions with ordinary form controls.

import { h, newId, put } from "../ui/dom.js";

// `code` and *emphasis*; everything else is text.
const markup = (text) => text.split(/(`[^`]+`|\*[^*\s][^*]*\*)/).map((part) =>
  part.length > 2 && part[0] === "`" && part.at(-1) === "`" ? h("code", { text: part.slice(1, -1) })
    : part.length > 2 && part[0] === "*" && part.at(-1) === "*" ? h("em", { text: part.slice(1, -1) }) : part);

export function isRight(q, picked) {
  if (q.kind === "numeric") return picked.length === 1 && Math.abs(picked[0] - q.answer) <= q.tolerance + 1e-12 * Math.abs(q.answer);
  return q.choices.every((c, i) => c.correct === picked.includes(i));
}

export const quiz = {
  title: "Quiz",
  tidy: (s) => s,
  compute: (s) => ({ right: s.fixed.questions.filter((q, i) => s.answers[i].checked && isRight(q, s.answers[i].picked)).length }),
  wrong: (s) => (s.answers.length === s.fixed.questions.length ? "" : "answers do not fit the questions"),
  build(ctx) {
    const { questions } = ctx.initial.fixed;
    const parts = questions.map((q, i) => question(ctx, q, i));
    const total = h("p", { class: "sbs-say" });
    return {
      el: h("ol", { class: "sbs-questions" }, parts.map((p) => p.el)),
      after: total,
      draw(s, r) {
        parts.forEach((p, i) => p.draw(s.answers[i]));
        const checked = s.answers.filter((a) => a.checked).length;
        put(total, { text: checked ? `${r.right} of ${questions.length} right${checked < questions.length ? `, ${questions.length - checked} to go` : ""}.` : "" });
      },
    };
  },
};

function question(ctx, q, i) {
  const name = newId();
  const pick = (picked) => ctx.set((s) => (s.answers[i] = { picked, checked: false }), `q${i}`);
  const verdict = h("p", { class: "sbs-verdict" });
  const why = h("p", { class: "sbs-because" }, markup(q.why));
  let inputs, notes = [], body;
  if (q.kind === "numeric") {
    inputs = [h("input", { type: "text", inputmode: "decimal", class: "sbs-field", "aria-labelledby": name, oninput: () => {
      const text = inputs[0].value.trim().replace("−", "-").replace(",", ".");
      const value = Number(text);
      pick(text !== "" && Number.isFinite(value) ? [value] : []);
    } })];
    body = h("div", {}, inputs[0], " ", markup(q.unit ?? ""));
  } else {
    inputs = q.choices.map((c, k) => h("input", { type: q.kind === "single" ? "radio" : "checkbox", name, onchange: () =>
      pick(inputs.flatMap((input, j) => (input.checked ? [j] : []))) }));
    notes = q.choices.map(() => h("span", { class: "sbs-note" }));
    body = h("div", {}, q.choices.map((c, k) => h("label", { class: "sbs-option" }, inputs[k], h("span", {}, markup(c.text), notes[k]))));
  }
  const check = h("button", { type: "button", class: "sbs-btn sbs-wide", text: "Check", onclick: () => {
    const { picked } = ctx.state.answers[i];
    if (!picked.length) {
      put(verdict, { text: "Answer first." });
      return ctx.speak(verdict.textContent);
    }
    ctx.set((s) => (s.answers[i].checked = true), `q${i}`);
    const notesOf = q.kind === "numeric" ? [] : picked.map((k) => q.choices[k].why);
    ctx.speak([isRight(q, picked) ? "Right." : "Not yet.", ...notesOf, isRight(q, picked) ? q.why : ""].join(" "));
  } });
  const el = h("li", {}, h("fieldset", {}, h("legend", { id: name }, markup(q.prompt),
    q.kind === "multiple" ? h("span", { class: "sbs-note", text: " (all that apply)" }) : null), body, check, verdict, why));
  return {
    el,
    draw({ picked, checked }) {
      const right = isRight(q, picked);
      if (q.kind === "numeric") {
        if (document.activeElement !== inputs[0] && picked.length) inputs[0].value = picked[0];
      } else {
        inputs.forEach((input, k) => (input.checked = picked.includes(k)));
        notes.forEach((note, k) => {
          const show = checked && (picked.includes(k) || right);
          if (show && !note.firstChild) note.append(h("b", { text: q.choices[k].correct ? " ✓ " : " ✗ " }), ...markup(q.choices[k].why));
          if (!show) note.replaceChildren();
        });
      }
      put(el, { class: checked ? (right ? "sbs-right" : "sbs-wrong") : null });
      if (checked) put(verdict, { text: right ? "Right." : "Not yet. Try again." });
      else if (picked.length) put(verdict, { text: "" });
      why.hidden = !(checked && right && q.why);
    },
  };
}
