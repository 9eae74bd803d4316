// The chat: it sends messages, and draws the events that come back. Events are drawn the
// same whether they are new or those of a conversation that is opened again.
import { Card } from "./card.js";
import { Messages } from "./messages.js";
import { post, problem, read } from "./stream.js";

const $ = (id) => document.getElementById(id);
let conversation = new URLSearchParams(location.search).get("c") ?? "";
let last = 0; // the newest event that was drawn
let busy = false;
let following = new AbortController();
const cards = new Map();
const messages = new Messages($("messages"), ({ root }) => {
  show("programs");
  reveal(root, true);
  root.focus({ preventScroll: true });
}, (number, decision) => post(`/conversations/${conversation}/approvals/${number}`, decision));

function show(view) {
  document.body.dataset.view = view;
  for (const name of ["chat", "programs"]) $(`view-${name}`).setAttribute("aria-pressed", String(name === view));
}

function say(text) {
  $("status").textContent = text;
}

function card(number) {
  if (!cards.has(number)) {
    const made = new Card(number);
    cards.set(number, made);
    $("none").hidden = true;
    $("programs").append(made.root);
    reveal(made.root);
    $("count").textContent = $("programs").querySelectorAll(".card").length;
    messages.chip(number, made);
  }
  return cards.get(number);
}

// reveal scrolls to a program, but not a reader who scrolled elsewhere since the last one.
let scrolled = 0;
function reveal(root, asked) {
  if (!asked && Math.abs($("programs").scrollTop - scrolled) > 5) return;
  root.scrollIntoView({ block: "start" });
  scrolled = $("programs").scrollTop;
}

const draw = {
  user: ({ text }) => { setBusy(true); messages.user(text); },
  text: ({ text }) => messages.text(text),
  code: ({ execution, text }) => card(execution).write(text),
  run: ({ execution, code }) => { card(execution).run(code); reveal(card(execution).root); messages.state(execution, "running"); say(`Program ${execution} is running`); },
  call: (data) => card(data.execution).call(data),
  result: (data) => card(data.execution).result(data),
  output: (data) => card(data.execution).print(data),
  execution: (data) => {
    const ended = card(data.execution);
    ended.end(data);
    reveal(ended.root);
    messages.state(data.execution, [ended.state.textContent, ended.meta.textContent].filter(Boolean).join(" · "), data.status === "ok");
    say(`Program ${data.execution} ${ended.state.textContent}`);
  },
  approval: (data) => { messages.ask(data); show("chat"); say(`Your approval is needed for ${data.tool}`); },
  decision: (data) => messages.decided(data),
  notice: ({ text }) => messages.note("notice", text),
  error: ({ text }) => messages.note("error", text),
  done: ({ stopped }) => {
    if (stopped) messages.note("notice", "Stopped.");
    messages.end();
    setBusy(false);
    say(stopped ? "Stopped" : "The answer is complete");
  },
};

function told(event) {
  if (event.id <= last) return; // it came on another stream already
  last = event.id;
  $("welcome").hidden = true;
  draw[event.type]?.(event.data);
}

function setBusy(now) {
  busy = now;
  $("send").hidden = now;
  $("stop").hidden = !now;
  $("stop").disabled = false;
  $("messages").setAttribute("aria-busy", String(now)); // read out when it is whole
}

async function send(text) {
  following.abort(); // the answer to the message has the events from now on
  following = new AbortController();
  setBusy(true);
  let response;
  try {
    response = await post("/chat/stream", { message: text, conversation, after: last });
  } catch (error) {
    messages.note("error", `The message was not taken: ${error.status ? error.message : "the server does not answer."}`);
    if (error.status === 404) forget();
    setBusy(false);
    $("message").value ||= text;
    follow();
    return;
  }
  conversation = response.headers.get("Conversation-Id");
  history.replaceState(null, "", `?c=${encodeURIComponent(conversation)}`);
  try {
    await read(response, told);
  } catch {
    // The connection broke. The server goes on, and so does follow.
  }
  follow();
}

// forget leaves a conversation that the server does not have any more. What was shown
// stays; the next one counts its programs from 1 again.
function forget() {
  conversation = "";
  last = 0;
  for (const { root } of cards.values()) root.removeAttribute("id");
  cards.clear();
  history.replaceState(null, "", location.pathname);
}

// follow reads the conversation from the last event that was drawn, for as long as it
// lasts: it may go on in another tab. A tab that nobody looks at has no need to, and
// browsers allow few connections.
async function follow(attempt = 0) {
  const { signal } = following;
  if (!conversation || document.hidden && !busy) return;
  try {
    const response = await fetch(`/conversations/${encodeURIComponent(conversation)}/events?after=${last}`, { signal });
    if (!response.ok) {
      messages.note("error", await problem(response));
      setBusy(false);
      forget();
      return;
    }
    if (attempt > 0 && busy) messages.note("notice", "The server answers again.");
    attempt = 0;
    await read(response, told);
  } catch {
    // Below: the stream ended all the same.
  }
  if (signal.aborted) return;
  if (attempt === 0 && busy) messages.note("notice", "The server does not answer. Trying again…");
  setTimeout(() => signal.aborted || follow(attempt + 1), Math.min(500 * 2 ** attempt, 10000));
}

async function stop() {
  $("stop").disabled = true;
  try {
    await post(`/conversations/${conversation}/stop`, {});
  } catch (error) {
    messages.note("error", `It could not be stopped: ${error.message}`);
    $("stop").disabled = false;
  }
}

function submit(text) {
  if (busy || !text.trim()) return;
  $("message").value = "";
  $("message").style.height = "";
  show("chat");
  send(text.trim());
}

document.addEventListener("visibilitychange", () => {
  if (busy) return; // the answer is read to its end
  following.abort();
  following = new AbortController();
  follow();
});
$("composer").addEventListener("submit", (event) => { event.preventDefault(); submit($("message").value); });
for (const kind of ["keydown", "keypress"]) $("message").addEventListener(kind, (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (kind === "keydown") submit($("message").value);
});
$("message").addEventListener("input", ({ target }) => { target.style.height = ""; target.style.height = `${target.scrollHeight + 2}px`; });
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && busy) stop(); });
$("stop").addEventListener("click", stop);
$("new").addEventListener("click", () => location.assign(location.pathname));
$("view-chat").addEventListener("click", () => show("chat"));
$("view-programs").addEventListener("click", () => { show("programs"); const all = $("programs").querySelectorAll(".card"); if (all.length) reveal([...all].at(-1), true); });
for (const button of $("suggestions").querySelectorAll("button")) button.addEventListener("click", () => submit(button.textContent));
fetch("/health").then((response) => response.json()).then(({ model, error }) => {
  $("model").textContent = model;
  $("model").hidden = false;
  if (error) messages.note("error", `The executor does not answer: ${error}`);
}).catch(() => messages.note("error", "The server does not answer."));
if (conversation) follow(); else $("message").focus();
