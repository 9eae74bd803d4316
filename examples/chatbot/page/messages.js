// Messages are the left half of the page.
import { element, pretty, prose } from "./element.js";

export class Messages {
  constructor(root, open, decide) {
    Object.assign(this, { root, open, decide, chips: new Map(), asked: new Map(), writing: null });
  }

  // add appends, and stays at the end if that is where the reader is.
  add(made) {
    this.keepEnd(() => this.root.append(made));
    return made;
  }

  keepEnd(change) {
    const { root } = this;
    const atEnd = root.scrollHeight - root.scrollTop - root.clientHeight < 80;
    change();
    if (atEnd) root.scrollTop = root.scrollHeight;
  }

  user(text) {
    this.end();
    this.add(element("p", "user", text));
    this.root.scrollTop = this.root.scrollHeight;
  }

  // text adds to the answer that is being written; drawing waits for the next frame.
  text(piece) {
    this.writing ??= { text: "", root: this.add(element("div", "text")) };
    const { writing } = this;
    writing.text += piece;
    writing.frame ??= requestAnimationFrame(() => this.draw(writing));
  }

  draw(writing) {
    writing.frame = null;
    this.keepEnd(() => writing.root.replaceChildren(prose(writing.text)));
  }

  end() {
    if (this.writing) this.draw(this.writing);
    this.writing = null;
  }

  chip(number, card) {
    this.end();
    const state = element("span", "", "being written");
    const button = element("button", "chip", `Program ${number}`, state);
    button.type = "button";
    button.addEventListener("click", () => this.open(card));
    this.chips.set(number, state);
    this.add(button);
  }

  state(number, text) {
    const state = this.chips.get(number);
    if (state) state.textContent = text;
  }

  note(kind, text) {
    this.end();
    const made = element("p", kind, text);
    if (kind === "error") made.setAttribute("role", "alert");
    this.add(made);
  }

  ask({ approval, tool, args, execution }) {
    this.end();
    const reason = element("input");
    reason.type = "text";
    reason.maxLength = 500;
    reason.placeholder = "Reason, if you deny it";
    reason.setAttribute("aria-label", "Reason, if you deny it");
    const allow = element("button", "allow", "Approve");
    const deny = element("button", "deny", "Deny");
    const controls = element("div", "", allow, deny, reason);
    const title = element("h3", "", "Program ", String(execution), " asks to call ", element("code", "", tool));
    title.id = `ask-${approval}`;
    const root = element("div", "ask", title, element("pre", "", pretty(args)), controls);
    root.setAttribute("role", "group");
    root.setAttribute("aria-labelledby", title.id);
    const answer = async (given) => {
      allow.disabled = deny.disabled = true;
      try {
        await this.decide(approval, { allow: given, reason: given ? "" : reason.value });
      } catch (error) {
        this.note("error", error.message);
      }
    };
    for (const button of [allow, deny]) button.type = "button";
    allow.addEventListener("click", () => answer(true));
    deny.addEventListener("click", () => answer(false));
    reason.addEventListener("keydown", (event) => { if (event.key === "Enter") answer(false); });
    this.asked.set(approval, { root, controls });
    this.add(root);
  }

  decided({ approval, allow, reason }) {
    const asked = this.asked.get(approval);
    if (!asked) return;
    asked.root.classList.add("answered");
    asked.controls.replaceWith(element("p", "", allow ? "Approved." : `Denied${reason ? `: ${reason}` : "."}`));
  }
}
