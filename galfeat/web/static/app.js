"use strict";

const at = (id) => document.getElementById(id);
const MARKS = ["Petrosian radius", "half of the light", "bar", "spiral arm"];
const LISTED = 5;
const tally = { shown: 0, model: 0, visitor: 0 };
let current = null;

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function percent(value) {
  const whole = 100 * value;
  return whole > 0 && whole < 1 ? "< 1 %" : `${Math.round(whole)} %`;
}

function drawMarks(galaxy) {
  const overlay = at("overlay");
  overlay.replaceChildren();
  at("legend").replaceChildren();
  if (!at("drawing").checked || !galaxy) return;
  overlay.setAttribute("viewBox", `-0.5 -0.5 ${galaxy.width} ${galaxy.height}`);
  const seen = new Set();
  for (const mark of galaxy.marks) {
    const kind = MARKS.indexOf(mark.name);
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    line.setAttribute("points", mark.points.map((point) => point.join(",")).join(" "));
    line.setAttribute("class", `mark-${kind}`);
    overlay.append(line);
    if (!seen.has(kind)) at("legend").append(element("span", mark.name, `key-${kind}`));
    seen.add(kind);
  }
}

function showPicture(source, galaxy) {
  at("stage").hidden = false;
  at("picture").src = source;
  at("picture").alt = "The galaxy";
  drawMarks(null);
  at("answer").hidden = true;
  at("problem").hidden = true;
  at("guesses").hidden = true;
  current = galaxy;
}

function reasonText(reason) {
  if (reason.share_below === null) return reason.words;
  const share = Math.round(100 * reason.share_below);
  const how = reason.added >= 0 ? "speaks for it" : "speaks against it";
  return `${reason.words} – ${how} (${reason.feature}: more than ${share} % of galaxies)`;
}

function showAnswer(galaxy, guess) {
  at("guesses").hidden = true;
  at("answer").hidden = false;
  const verdict = at("verdict");
  verdict.className = "verdict";
  verdict.textContent = "";
  at("truth").textContent = "";
  const named = at("named");
  named.replaceChildren();
  at("chances").replaceChildren();
  at("reasons").replaceChildren();
  if (!galaxy.galaxy) {
    named.append(element("span", "No galaxy found"));
    at("truth").textContent = galaxy.problem;
    return;
  }
  named.append(element("span", galaxy.class), element("span", percent(galaxy.probability), "number"));
  if (galaxy.true_class !== null) {
    const right = galaxy.class === galaxy.true_class;
    verdict.textContent = right ? "The model is right" : "The model is wrong";
    verdict.classList.add(right ? "right" : "wrong");
    at("truth").textContent = `Actual class: ${galaxy.true_class}`;
    if (guess) {
      at("truth").textContent += `. You said: ${guess}.`;
    }
  }
  for (const [name, probability] of Object.entries(galaxy.probabilities).slice(0, LISTED)) {
    const row = element("tr");
    const head = element("th", name);
    head.scope = "row";
    const bar = element("progress");
    bar.max = 1;
    bar.value = probability;
    bar.setAttribute("aria-label", name);
    const cell = element("td");
    cell.append(bar);
    row.append(head, cell, element("td", percent(probability), "number"));
    at("chances").append(row);
  }
  for (const reason of galaxy.reasons) at("reasons").append(element("li", reasonText(reason)));
  drawMarks(galaxy);
}

function count(galaxy, guess) {
  tally.shown += 1;
  tally.model += galaxy.class === galaxy.true_class ? 1 : 0;
  tally.visitor += guess === galaxy.true_class ? 1 : 0;
  at("score").hidden = false;
  at("score").textContent = `Of ${tally.shown}: you ${tally.visitor}, the model ${tally.model}`;
}

function showProblem(text) {
  at("stage").hidden = false;
  at("answer").hidden = true;
  at("guesses").hidden = true;
  at("problem").hidden = false;
  at("problem").textContent = text;
}

async function ask(address, options) {
  const response = await fetch(address, options);
  const content = await response.json().catch(() => ({ error: "The answer could not be read." }));
  if (!response.ok) throw new Error(content.error || `Error ${response.status}`);
  return content;
}

async function showSample() {
  try {
    const galaxy = await ask("api/sample");
    showPicture(galaxy.image, galaxy);
    if (at("guessing").checked) {
      at("guesses").hidden = false;
      at("guesses").querySelector("button").focus({ preventScroll: true });
    } else {
      showAnswer(galaxy);
    }
  } catch (error) {
    showProblem(error.message);
  }
}

async function showOwn(file) {
  if (!file) return;
  const address = URL.createObjectURL(file);
  showPicture(address, null);
  at("picture").onload = () => URL.revokeObjectURL(address);
  try {
    const type = file.type || "application/octet-stream";
    const found = await ask("api/classify", { method: "POST", body: file, headers: { "Content-Type": type } });
    current = found.galaxies[0];
    showAnswer(current);
  } catch (error) {
    showProblem(error.message);
  }
}

at("show").addEventListener("click", showSample);
at("drawing").addEventListener("change", () => drawMarks(at("answer").hidden ? null : current));
for (const choice of document.querySelectorAll(".choice")) {
  choice.addEventListener("click", () => {
    count(current, choice.dataset.class);
    showAnswer(current, choice.dataset.class);
    at("show").focus({ preventScroll: true });
  });
}
at("file").addEventListener("change", (event) => showOwn(event.target.files[0]));
const drop = at("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") showOwn(event.dataTransfer.files[0]);
  });
}
