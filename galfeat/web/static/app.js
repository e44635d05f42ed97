"use strict";

const at = (id) => document.getElementById(id);
const PANELS = ["welcome", "guesses", "measuring", "answer", "problem"];
const MARKS = ["Petrosian radius", "half of the light", "bar", "spiral arm"];
const LISTED = 5;
const SCORE = "galfeat.score";
const MOST_WAITING = 60000, NOTICED = 300; // milliseconds
let current = null; // the galaxy that is shown
let turns = 0; // of several questions that are under way only the last one is answered
let asking = new AbortController(); // what is asked now

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function percent(value) {
  const whole = 100 * value;
  if (whole > 0 && whole < 1) return "< 1\u00a0%";
  return whole > 99 && whole < 100 ? "> 99\u00a0%" : `${Math.round(whole)}\u00a0%`;
}

function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

function showPanel(shown) {
  for (const name of PANELS) at(name).hidden = name !== shown;
}

function drawMarks() {
  const overlay = at("overlay");
  const legend = at("legend");
  overlay.replaceChildren();
  legend.replaceChildren();
  if (!at("drawing").checked || at("answer").hidden || !current) return;
  overlay.setAttribute("viewBox", `-0.5 -0.5 ${current.width} ${current.height}`);
  const seen = new Set();
  for (const mark of current.marks) {
    const kind = MARKS.indexOf(mark.name);
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    line.setAttribute("points", mark.points.map((point) => point.join(",")).join(" "));
    line.setAttribute("class", `mark-${kind}`);
    overlay.append(line);
    if (!seen.has(kind)) legend.append(element("span", mark.name, `key-${kind}`));
    seen.add(kind);
  }
}

async function loadPicture(address) {
  const picture = new Image();
  picture.src = address;
  picture.alt = "A galaxy";
  picture.id = "picture";
  await picture.decode();
  return picture;
}

function showPicture(picture) {
  at("picture").replaceWith(picture);
  at("overlay").replaceChildren();
  at("legend").replaceChildren();
  showStage();
}

function showStage() {
  const top = at("stage").getBoundingClientRect().top;
  // Where picture and answer lie one below the other, both are to be seen.
  if (top < 0 || matchMedia("(max-width: 48rem)").matches) at("stage").scrollIntoView();
}

function verdictOf(galaxy, guess) {
  if (galaxy.true_class === null) return ["Your image", ""];
  const right = galaxy.class === galaxy.true_class;
  if (guess === undefined) return right ? ["The model is right", "right"] : ["The model is wrong", "wrong"];
  if (guess === galaxy.true_class) {
    return right ? ["You and the model are right", "right"] : ["You are right, the model is wrong", "right"];
  }
  return right ? ["The model is right, you are not", "wrong"] : ["You and the model are wrong", "wrong"];
}

function truthOf(galaxy, guess) {
  if (galaxy.true_class !== null) {
    const said = guess === undefined ? "" : `\nYour guess: ${guess}`;
    return `Actual class: ${galaxy.true_class}${said}`;
  }
  return galaxy.problem ?? `What it really is, is not known.\nAnswered by the model ${galaxy.model}.`;
}

function chanceRow(galaxy, name, probability) {
  const row = element("tr");
  if (name === galaxy.class) row.classList.add("is-named");
  if (name === galaxy.true_class) row.classList.add("is-actual");
  const head = element("th", name);
  head.scope = "row";
  const bar = element("progress");
  bar.max = 1;
  bar.value = probability;
  bar.setAttribute("aria-hidden", "true"); // the number beside it says the same
  const cell = element("td");
  cell.append(bar);
  row.append(head, cell, element("td", percent(probability), "number"));
  return row;
}

function reasonItem(reason) {
  const speaks = reason.added >= 0;
  const item = element("li", undefined, speaks ? "for" : "against");
  const times = `${speaks ? "×" : "÷"}\u00a0${Math.exp(Math.abs(reason.added)).toPrecision(2)}`;
  item.append(element("span", reason.words, "words"), element("span", times, "number times"));
  if (!reason.feature) return item;
  const measured = element("span", undefined, "quiet");
  measured.append(element("code", reason.feature));
  if (reason.share_below !== null) {
    const more = reason.share_below >= 0.5;
    const share = Math.min(99, Math.floor(100 * (more ? reason.share_below : 1 - reason.share_below)));
    measured.append(`: ${more ? "more" : "less"} than in ${share}\u00a0% of galaxies`);
  }
  item.append(measured);
  return item;
}

function showAnswer(galaxy, guess) {
  const [verdict, tone] = verdictOf(galaxy, guess);
  const named = galaxy.galaxy ? galaxy.class : "No galaxy found";
  const probability = galaxy.galaxy ? percent(galaxy.probability) : "";
  const truth = truthOf(galaxy, guess);
  at("verdict").textContent = verdict;
  at("verdict").className = `verdict ${tone}`;
  at("named").textContent = named;
  at("probability").textContent = probability;
  at("truth").textContent = truth;
  at("details").hidden = !galaxy.galaxy;
  const chances = Object.entries(galaxy.probabilities ?? {}).slice(0, LISTED);
  at("chances").replaceChildren(...chances.map(([name, value]) => chanceRow(galaxy, name, value)));
  at("reasons").replaceChildren(...galaxy.reasons.map(reasonItem));
  current = galaxy;
  showPanel("answer");
  drawMarks();
  at("status").textContent = `${verdict}: ${named} ${probability}. ${sentence(truth.replace("\n", ". "))}`;
}

function showProblem(text) {
  at("problem").textContent = sentence(text);
  showPanel("problem");
  drawMarks();
  at("status").textContent = at("problem").textContent;
}

function readScore() {
  try {
    const kept = JSON.parse(localStorage.getItem(SCORE));
    const whole = [kept.of, kept.you, kept.model].every((one) => Number.isInteger(one) && one >= 0);
    if (whole) return kept;
  } catch {
    // no score is kept, or the browser keeps nothing
  }
  return { of: 0, you: 0, model: 0 };
}

function keepScore(score) {
  try {
    localStorage.setItem(SCORE, JSON.stringify(score));
  } catch {
    // the browser keeps nothing: the score lasts as long as the page
  }
  showScore(score);
}

function showScore(score) {
  at("forget").hidden = score.of === 0;
  const galaxies = score.of === 1 ? "galaxy" : "galaxies";
  at("score").textContent = score.of === 0
    ? "Guess first, and see who is right more often: you or the model."
    : `Right on ${score.of} ${galaxies}: you ${score.you}, the model ${score.model}`;
}

let score = readScore();

function count(galaxy, guess) {
  score = {
    of: score.of + 1,
    you: score.you + Number(guess === galaxy.true_class),
    model: score.model + Number(galaxy.class === galaxy.true_class),
  };
  keepScore(score);
}

async function ask(address, options) {
  const late = setTimeout(() => asking.abort(), MOST_WAITING);
  const response = await fetch(address, { ...options, signal: asking.signal }).catch(() => {
    throw new Error("The server does not answer; try again in a moment.");
  }).finally(() => clearTimeout(late));
  const content = await response.json().catch(() => ({ error: "The answer could not be read." }));
  if (!response.ok) throw new Error(content.error ?? `The server answers with error ${response.status}.`);
  return content;
}

function newTurn() {
  asking.abort();
  asking = new AbortController();
  const turn = ++turns;
  // Who waits is shown that something is going on, if it takes long enough to be noticed.
  setTimeout(() => at("stage").classList.toggle("waiting", turn === turns), NOTICED);
  return turn;
}

function endTurn(turn) {
  if (turn !== turns) return false;
  ++turns;
  at("stage").classList.remove("waiting");
  return true;
}

async function showSample() {
  const turn = newTurn();
  try {
    const galaxy = await ask("api/sample");
    const picture = await loadPicture(galaxy.image).catch(() => {
      throw new Error("The picture could not be loaded; try again.");
    });
    if (!endTurn(turn)) return;
    showPicture(picture);
    if (!at("guessing").checked) {
      showAnswer(galaxy);
      return;
    }
    current = galaxy;
    showPanel("guesses");
    at("status").textContent = "A new galaxy. What is your guess?";
    // Not on a choice: a second Enter would guess.
    at("guess-title").focus({ preventScroll: true });
  } catch (error) {
    if (endTurn(turn)) showProblem(error.message);
  }
}

function guessed(guess) {
  if (!current) return;  // a picture of the visitor's own is on its way
  count(current, guess);
  showAnswer(current, guess);
  showStage();
  at("show").focus({ preventScroll: true });
}

async function showOwn(file) {
  if (!file) return;
  const turn = newTurn();
  current = null;
  const address = URL.createObjectURL(file);
  // What the browser cannot show is for the server to judge.
  const picture = await loadPicture(address).catch(() => Object.assign(element("span"), { id: "picture" }));
  URL.revokeObjectURL(address);
  if (turn !== turns) return;
  showPicture(picture);
  showPanel("measuring");
  at("status").textContent = at("measuring").textContent;
  try {
    const headers = { "Content-Type": file.type || "application/octet-stream" };
    const found = await ask("api/classify", { method: "POST", body: file, headers });
    if (endTurn(turn)) showAnswer({ ...found.galaxies[0], model: found.model });
  } catch (error) {
    if (endTurn(turn)) showProblem(error.message);
  }
}

at("show").addEventListener("click", showSample);
at("drawing").addEventListener("change", drawMarks);
at("forget").addEventListener("click", () => {
  score = { of: 0, you: 0, model: 0 };
  keepScore(score);
  at("show").focus();
});
for (const choice of document.querySelectorAll(".choice")) {
  choice.addEventListener("click", () => guessed(choice.dataset.class));
}
at("file").addEventListener("change", (event) => {
  showOwn(event.target.files[0]);
});
at("file").addEventListener("click", (event) => {
  event.target.value = ""; // so that the same file can be chosen again
});
for (const name of ["dragover", "dragleave", "drop"]) {
  // Anywhere: a file dropped beside the field would otherwise take the place of the page.
  document.addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", name === "dragover");
    if (name !== "drop") return;
    const [file] = event.dataTransfer.files;
    if (file) showOwn(file);
    else if (endTurn(newTurn())) showProblem("That is no file; save the image first, and drop the file.");
  });
}
showScore(score);
