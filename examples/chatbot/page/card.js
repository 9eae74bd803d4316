// A Card shows one program: its code, a timeline of its calls, its output and its outcome.
import { brief, duration, element, pretty } from "./element.js";
import { lines } from "./highlight.js";

const words = {
  ok: "finished", error: "failed", timeout: "out of time", memory_limit: "out of memory", output_limit: "too much output",
  cancelled: "cancelled", killed: "killed", rejected: "refused", stopped: "stopped", lost: "lost", "not run": "not run",
};

export class Card {
  constructor(number) {
    this.code = "";
    this.calls = new Map();
    this.scale = 1;
    this.state = element("span", "state live", "being written");
    this.meta = element("span", "meta");
    this.program = element("div", "code");
    this.program.tabIndex = 0; // a keyboard can scroll it
    this.program.setAttribute("role", "region");
    this.program.setAttribute("aria-label", `Code of program ${number}`);
    this.list = element("ol", "calls");
    this.length = element("span");
    this.timeline = this.part("Tool calls", element("div", "axis", element("span", "", "0"), this.length), this.list);
    this.output = element("pre");
    this.printed = this.part("Output", this.output);
    this.outcome = element("div", "part");
    this.outcome.hidden = true;
    this.root = element("article", "card", element("header", "", element("h2", "", `Program ${number}`), this.state, this.meta),
      this.program, this.timeline, this.printed, this.outcome);
    this.root.id = `program-${number}`;
    this.root.tabIndex = -1;
  }

  part(title, ...content) {
    const made = element("section", "part", element("h3", "", title), ...content);
    made.hidden = true;
    return made;
  }

  // write adds a piece of the program; drawing waits for the next frame.
  write(text) {
    this.code += text;
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.draw();
      this.program.scrollTop = this.program.scrollHeight;
    });
  }

  draw() {
    cancelAnimationFrame(this.drawing);
    this.drawing = 0;
    this.program.replaceChildren(...lines(this.code));
  }

  run(code) {
    this.code = code;
    this.draw();
    this.program.scrollTop = 0;
    this.state.textContent = "running";
    this.begun = performance.now();
    this.ticking = setInterval(() => this.layout(performance.now() - this.begun), 100);
  }

  call({ call, tool, args, start_ms }) {
    const bar = element("i");
    const time = element("span", "time", "…");
    const facts = element("dl", "", element("dt", "", "arguments"), element("dd", "", element("pre", "", pretty(args))));
    const row = element("details", "open", element("summary", "", element("span", "name", tool, " ", element("span", "", brief(args))), element("span", "track", bar), time), facts);
    this.calls.set(call, { bar, time, facts, row, start: start_ms, end: null });
    this.list.append(element("li", "", row));
    this.timeline.hidden = false;
    this.layout(start_ms);
  }

  result({ call, result, error, duration_ms, rows }) {
    const shown = this.calls.get(call);
    if (!shown) return;
    shown.end = shown.start + duration_ms;
    shown.time.textContent = duration(duration_ms);
    shown.row.className = error ? "failed" : "";
    if (error) shown.time.textContent = `✕ ${shown.time.textContent}`;
    const text = error ? error.message : rows === undefined ? pretty(result) : `${rows} rows`;
    shown.facts.append(element("dt", "", error ? error.kind : "result"), element("dd", "", element("pre", error ? "message" : "", text)));
    this.layout(shown.end);
  }

  // layout puts the bars on a scale that ends with the run.
  layout(end) {
    this.scale = Math.max(this.scale, end);
    this.length.textContent = duration(this.scale);
    for (const { bar, start, end } of this.calls.values()) {
      bar.style.left = `${Math.min((100 * start) / this.scale, 99)}%`;
      bar.style.width = `${(100 * ((end ?? this.scale) - start)) / this.scale}%`;
    }
  }

  print({ stream, text }) {
    this.printed.hidden = false;
    this.output.append(element("span", stream, text));
    this.output.scrollTop = this.output.scrollHeight;
  }

  end({ status, wall_ms, calls, calls_hidden, tokens, result, error, message, sandbox }) {
    clearInterval(this.ticking);
    this.scale = Math.max(1, ...[...this.calls.values()].map((call) => call.end ?? call.start));
    this.layout(Math.min(wall_ms, this.scale * 4));
    for (const call of this.calls.values()) if (call.end === null) call.time.textContent = "ended";
    this.state.textContent = words[status] ?? status;
    this.state.className = `state ${status === "ok" ? "ok" : status === "stopped" ? "" : "bad"}`;
    const facts = [duration(wall_ms), `${calls} ${calls === 1 ? "call" : "calls"}`];
    const saved = tokens ? tokens.direct - tokens.used : 0;
    if (saved > 0) facts.push(`≈ ${saved.toLocaleString("en")} tokens saved`);
    this.meta.textContent = status === "not run" ? "" : facts.join(" · ");
    this.meta.title = tokens ? `Estimated at 4 bytes a token: the model wrote and read ${tokens.used}; with one call for each tool it would have written and read ${tokens.direct}.` : "";
    if (sandbox?.length) this.state.title = `isolated by ${sandbox.join(", ")}`;
    if (calls_hidden) this.list.append(element("li", "", `and ${calls_hidden} more calls`));
    this.conclude(result, error, message);
  }

  conclude(result, error, message) {
    const shown = this.outcome;
    shown.hidden = false;
    if (message) shown.append(element("p", this.state.classList.contains("bad") ? "message" : "", message));
    if (error) {
      shown.append(element("h3", "", "Traceback"), element("pre", "traceback", error.traceback || `${error.type}: ${error.message}`));
      const line = this.program.children[error.line - 1];
      line?.classList.add("failed");
      line?.scrollIntoView({ block: "nearest" });
    } else if (result) {
      const text = pretty(result);
      shown.append(element("h3", "", "Result"), element("pre", "", text.startsWith('"') && !text.endsWith("…") ? JSON.parse(text) : text));
    }
  }
}
