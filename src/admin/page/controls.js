/** Drain and Undrain: shown when they may be used, and only after a question. */
import { at, write } from "./format.js";

const questions = {
  drain: {
    title: "Drain this server?",
    text: "It takes no new work, answers every call that it took, flushes its state and exits. Unless it has a lame-duck phase, this can't be taken back.",
    yes: "Drain",
    path: "/drain",
  },
  undrain: {
    title: "Serve again?",
    text: "The drain is taken back: the server becomes ready and goes on as if nothing had been asked.",
    yes: "Undrain",
    path: "/undrain",
  },
};

/** @type {"open" | "token" | "off"} */
let controls = "off";
/** @type {keyof typeof questions} */
let asked = "drain";

/** @param {any} status */
export function showControls(status) {
  controls = status.controls;
  at("drain").hidden = controls === "off" || status.phase.phase !== "serving";
  at("undrain").hidden = controls === "off" || !status.canUndrain;
}

/** The server is gone: nothing can be asked of it. */
export function hideControls() {
  at("drain").hidden = true;
  at("undrain").hidden = true;
}

/** Connects the buttons. */
export function setUpControls() {
  at("drain").addEventListener("click", () => ask("drain"));
  at("undrain").addEventListener("click", () => ask("undrain"));
  at("ask-no").addEventListener("click", () => dialog().close());
  at("ask-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
}

function dialog() {
  return /** @type {HTMLDialogElement} */ (at("ask"));
}

/** @param {string} id */
function input(id) {
  return /** @type {HTMLInputElement} */ (at(id));
}

/** @param {keyof typeof questions} what */
function ask(what) {
  asked = what;
  const { title, text, yes } = questions[what];
  write(at("ask-title"), title);
  write(at("ask-text"), text);
  write(at("ask-yes"), yes);
  write(at("ask-error"), "");
  at("ask-reason-label").hidden = what !== "drain";
  at("ask-token-label").hidden = controls !== "token";
  dialog().showModal();
}

async function send() {
  /** @type {Record<string, string>} */
  const headers = { "x-sluice-admin": "page", "content-type": "application/json" };
  if (controls === "token") headers["authorization"] = `Bearer ${input("ask-token").value}`;
  const reason = input("ask-reason").value;
  const body = asked === "drain" && reason !== "" ? JSON.stringify({ reason }) : null;
  try {
    const response = await fetch(questions[asked].path, { method: "POST", headers, body });
    if (response.ok) dialog().close();
    else write(at("ask-error"), (await response.text()).trim());
  } catch {
    write(at("ask-error"), "The server can't be reached.");
  }
}
