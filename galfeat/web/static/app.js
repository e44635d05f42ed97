"use strict";

const at = (id) => document.getElementById(id);
const PANELS = ["welcome", "guesses", "measuring", "answer", "problem"];
const MARKS = ["Petrosian radius", "half of the light", "bar", "spiral arm"];
const MAX_CLASSES = 5;
const MAX_FILES = Number(at("file").dataset.most);
const SCORE = "galfeat.score";
const TIMEOUT = 60000, WAITING_DELAY = 300; // milliseconds
let current = null; // the galaxy shown
let lastTurn = 0; // of several requests in progress, only the response to the last is shown
let pending = new AbortController(); // aborts the request in progress

function element(name, text, className) {
  const created = document.createElement(name);
  if (text !== undefined) created.textContent = text;
  if (className) created.className = className;
  return created;
}

function percent(value) {
  const scaled = 100 * value;
  if (scaled > 0 && scaled < 1) return "< 1\u00a0%";
  return scaled > 99 && scaled < 100 ? "> 99\u00a0%" : `${Math.round(scaled)}\u00a0%`;
}

function sentence(text) {
  const capitalised = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capitalised) ? capitalised : `${capitalised}.`;
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
  // When picture and result are stacked, scroll both into view.
  if (top < 0 || matchMedia("(max-width: 48rem)").matches) at("stage").scrollIntoView();
}

function doubtOf(galaxy) {
  const flags = (galaxy.flags ?? "").split(";");
  if (flags.includes("unlike_training")) return "Possibly not a galaxy";
  return flags.includes("point_like") ? "Possibly a star" : undefined;
}

function verdictOf(galaxy, guess) {
  if (galaxy.true_class === null) return [doubtOf(galaxy) ?? "Your image", ""];
  const right = galaxy.most_probable === galaxy.true_class;
  if (guess === undefined) return right ? ["The model is right", "right"] : ["The model is wrong", "wrong"];
  if (guess === galaxy.true_class) {
    return right ? ["You and the model are right", "right"] : ["You are right; the model is wrong", "right"];
  }
  return right ? ["The model is right; you are wrong", "wrong"] : ["You and the model are wrong", "wrong"];
}

function truthOf(galaxy, guess) {
  if (galaxy.true_class !== null) {
    const guessLine = guess === undefined ? "" : `\nYour guess: ${guess}`;
    return `Actual class: ${galaxy.true_class}${guessLine}`;
  }
  return galaxy.problem ?? `The true class is unknown.\nClassified by the model ${galaxy.model}.`;
}

function probabilityRow(galaxy, name, probability) {
  const row = element("tr");
  if (name === galaxy.most_probable) row.classList.add("is-named");
  if (name === galaxy.true_class) row.classList.add("is-actual");
  const head = element("th", name);
  head.scope = "row";
  const bar = element("progress");
  bar.max = 1;
  bar.value = probability;
  bar.setAttribute("aria-hidden", "true"); // redundant with the number beside it
  const cell = element("td");
  cell.append(bar);
  row.append(head, cell, element("td", percent(probability), "number"));
  return row;
}

function reasonItem(reason) {
  const supports = reason.added >= 0;
  const item = element("li", undefined, supports ? "for" : "against");
  const factor = Math.exp(Math.abs(reason.added));
  const digits = factor < 99.5 ? factor.toPrecision(2) : String(Number(factor.toPrecision(2)));
  const times = `${supports ? "×" : "÷"}\u00a0${digits}`;
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

function headline(galaxy) {
  if (!galaxy.galaxy) return ["No galaxy found", ""];
  return [galaxy.most_probable, percent(galaxy.probabilities[galaxy.most_probable])];
}

function setOf(galaxy) {
  if (!galaxy.set) return ["", ""];
  const all = galaxy.set.length === Object.keys(galaxy.probabilities).length;
  return [`${percent(galaxy.coverage)} set`, all ? `all ${galaxy.set.length} classes` : galaxy.set.join(", ")];
}

function showAnswer(galaxy, guess) {
  const [verdict, tone] = verdictOf(galaxy, guess);
  const [named, probability] = headline(galaxy);
  const truth = truthOf(galaxy, guess);
  const [setName, set] = setOf(galaxy);
  at("verdict").textContent = verdict;
  at("verdict").className = `verdict ${tone}`;
  at("named").textContent = named;
  at("probability").textContent = probability;
  at("truth").textContent = truth;
  at("set-line").hidden = !set;
  at("set-name").textContent = setName;
  at("set").textContent = set;
  at("decision").textContent = galaxy.decision_note ?? "";
  at("caption").hidden = galaxy.decision_note !== null;
  at("caution-line").hidden = !galaxy.cautions.length;
  at("caution-link").textContent = galaxy.cautions.length === 1 ? "A caution below" : "Cautions below";
  at("cautions").replaceChildren(...galaxy.cautions.map((caution) => element("li", caution)));
  at("details").hidden = !galaxy.galaxy;
  const best = Object.entries(galaxy.probabilities ?? {}).slice(0, MAX_CLASSES);
  at("probabilities").replaceChildren(...best.map(([name, value]) => probabilityRow(galaxy, name, value)));
  at("reasons").replaceChildren(...galaxy.reasons.map(reasonItem));
  current = galaxy;
  showPanel("answer");
  drawMarks();
  const notes = [truth.replace("\n", ". "), set && `${setName}: ${set}`, galaxy.decision_note, ...galaxy.cautions];
  at("status").textContent = [`${verdict}: ${named} ${probability}.`, ...notes.filter(Boolean).map(sentence)].join(" ");
}

function showProblem(text) {
  at("problem").textContent = sentence(text);
  showPanel("problem");
  drawMarks();
  at("status").textContent = at("problem").textContent;
}

function readScore() {
  try {
    const stored = JSON.parse(localStorage.getItem(SCORE));
    const counts = [stored.of, stored.you, stored.model];
    if (counts.every((value) => Number.isInteger(value) && value >= 0)) return stored;
  } catch {
    // no stored score, or storage is unavailable
  }
  return { of: 0, you: 0, model: 0 };
}

function storeScore(score) {
  try {
    localStorage.setItem(SCORE, JSON.stringify(score));
  } catch {
    // storage is unavailable: the score lasts until the page is closed
  }
  showScore(score);
}

function showScore(score) {
  at("forget").hidden = score.of === 0;
  const galaxies = score.of === 1 ? "galaxy" : "galaxies";
  at("score").textContent = score.of === 0
    ? "Guess first to compare your score with the model’s."
    : `Score after ${score.of} ${galaxies}: you ${score.you}, the model ${score.model}`;
}

let score = readScore();

function count(galaxy, guess) {
  score = {
    of: score.of + 1,
    you: score.you + Number(guess === galaxy.true_class),
    model: score.model + Number(galaxy.most_probable === galaxy.true_class),
  };
  storeScore(score);
}

async function request(address, options) {
  const timer = setTimeout(() => pending.abort(), TIMEOUT);
  const response = await fetch(address, { ...options, signal: pending.signal }).catch(() => {
    throw new Error("The server does not respond; try again in a moment.");
  }).finally(() => clearTimeout(timer));
  const content = await response.json().catch(() => ({ error: "The response could not be read; try again." }));
  if (!response.ok) {
    const error = new Error(content.error ?? `The server returned error ${response.status}; try again.`);
    throw Object.assign(error, { errors: content.errors ?? [] });
  }
  return content;
}

function newTurn() {
  pending.abort();
  pending = new AbortController();
  const turn = ++lastTurn;
  // Show that a request is in progress if it takes noticeably long.
  setTimeout(() => at("stage").classList.toggle("waiting", turn === lastTurn), WAITING_DELAY);
  return turn;
}

function endTurn(turn) {
  if (turn !== lastTurn) return false;
  ++lastTurn;
  at("stage").classList.remove("waiting");
  return true;
}

async function showSample() {
  const turn = newTurn();
  at("uploads").hidden = true;
  try {
    const galaxy = await request("api/sample");
    const picture = await loadPicture(galaxy.image).catch(() => {
      throw new Error("The image could not be loaded; try again.");
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
    // Not on a choice: a second Enter would submit a guess.
    at("guess-title").focus({ preventScroll: true });
  } catch (error) {
    if (endTurn(turn)) showProblem(error.message);
  }
}

function submitGuess(guess) {
  if (!current) return; // an upload is in progress
  count(current, guess);
  showAnswer(current, guess);
  showStage();
  at("show").focus({ preventScroll: true });
}

async function showPictureOf(file, turn) {
  const address = URL.createObjectURL(file);
  // If the browser cannot show the file, the server reports the error.
  const picture = await loadPicture(address).catch(() => Object.assign(element("span", "No picture to show", "nothing"), { id: "picture" }));
  URL.revokeObjectURL(address);
  if (turn !== lastTurn) return false;
  showPicture(picture);
  return true;
}

async function showUploads(files) {
  if (files.length === 0) return;
  const turn = newTurn();
  current = null;
  at("uploads").hidden = true;
  if (files.length > MAX_FILES) {
    endTurn(turn);
    showProblem(`You chose ${files.length} images; choose at most ${MAX_FILES} at once.`);
    return;
  }
  if (!await showPictureOf(files[0], turn)) return;
  showPanel("measuring");
  at("status").textContent = at("measuring").textContent;
  try {
    const response = await request("api/classify", { method: "POST", ...bodyOf(files) });
    if (!endTurn(turn)) return;
    const galaxies = response.galaxies.map((galaxy) => ({ ...galaxy, model: response.model }));
    if (files.length === 1) showAnswer(galaxies[0]);
    else showList(files, galaxies, response.errors);
  } catch (error) {
    if (!endTurn(turn)) return;
    const several = files.length > 1 && error.errors?.length;
    showProblem(several ? "None of these images can be classified." : error.message);
    if (several) showList(files, [], error.errors);
  }
}

function bodyOf(files) {
  if (files.length === 1) return { body: files[0], headers: { "Content-Type": files[0].type || "application/octet-stream" } };
  const form = new FormData();
  for (const file of files) form.append("image", file);
  return { body: form };
}

function showList(files, galaxies, errors) {
  const failed = new Map(errors.map((failure) => [failure.number, failure.error]));
  const left = [...galaxies];
  const items = files.map((file, number) => failed.has(number)
    ? failedItem(file, failed.get(number)) : galaxyItem(file, left.shift()));
  at("upload-list").replaceChildren(...items);
  at("uploads").hidden = false;
  const first = at("upload-list").querySelector("button");
  if (first) first.click();
  else at("status").textContent = at("uploads").textContent;
}

function failedItem(file, error) {
  const item = element("li", undefined, "failed");
  item.append(element("span", file.name, "name"), element("span", sentence(error), "error"));
  return item;
}

function galaxyItem(file, galaxy) {
  const [named, probability] = headline(galaxy);
  const button = element("button");
  button.type = "button";
  button.append(element("span", file.name, "name"), element("span", named), element("span", probability, "number"));
  button.addEventListener("click", async () => {
    const turn = newTurn();
    for (const other of at("upload-list").querySelectorAll("button")) other.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
    if (!await showPictureOf(file, turn) || !endTurn(turn)) return;
    showAnswer(galaxy);
    const failures = [...document.querySelectorAll("#upload-list .failed")].map((failure) => failure.innerText);
    at("status").textContent += failures.length ? ` Not classified: ${failures.join(" ")}` : "";
  });
  const item = element("li");
  item.append(button);
  return item;
}

at("show").addEventListener("click", showSample);
at("drawing").addEventListener("change", drawMarks);
at("forget").addEventListener("click", () => {
  score = { of: 0, you: 0, model: 0 };
  storeScore(score);
  at("show").focus();
});
for (const choice of document.querySelectorAll(".choice")) {
  choice.addEventListener("click", () => submitGuess(choice.dataset.class));
}
at("file").addEventListener("change", (event) => {
  showUploads([...event.target.files]);
});
at("file").addEventListener("click", (event) => {
  event.target.value = ""; // allow choosing the same file again
});
for (const name of ["dragover", "dragleave", "drop"]) {
  // Accept drops anywhere: a file dropped beside the field would otherwise replace the page.
  document.addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", name === "dragover");
    if (name !== "drop") return;
    const files = [...event.dataTransfer.files];
    if (files.length) showUploads(files);
    else if (endTurn(newTurn())) showProblem("Not a file; save the image first, then drop the file.");
  });
}
showScore(score);
