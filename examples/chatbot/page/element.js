// element makes an element with a class and children. Strings become text.
export function element(name, kind, ...children) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...children);
  return made;
}

// prose shows what a model wrote: fenced blocks, `code` and **bold**; all else as it is.
export function prose(text) {
  const made = document.createDocumentFragment();
  text.split(/^```[^\n]*\n?/m).forEach((part, i) => {
    if (i % 2) {
      made.append(element("pre", "", part.replace(/\n$/, "")));
      return;
    }
    for (const piece of part.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*)/)) {
      if (/^`.+`$/.test(piece)) made.append(element("code", "", piece.slice(1, -1)));
      else if (/^\*\*.+\*\*$/.test(piece)) made.append(element("strong", "", piece.slice(2, -2)));
      else made.append(piece);
    }
  });
  return made;
}

// pretty is JSON text with line breaks; what is cut off is no JSON any more.
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// brief is the values of a call's arguments, to tell it from others of the same tool.
export function brief(text) {
  try {
    return Object.values(JSON.parse(text)).map((value) => typeof value === "string" ? value : JSON.stringify(value)).join(", ").slice(0, 200);
  } catch {
    return "";
  }
}

export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
