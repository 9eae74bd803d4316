// Colours for Python. It looks at a program in pieces of text and makes elements with
// textContent: nothing in a program can be markup.

const keywords = "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case";

const token = new RegExp([
  "(?<comment>#[^\\n]*)",
  "(?<string>\\b[rbfuRBFU]{0,2}(?:\"\"\"[^]*?(?:\"\"\"|$)|'''[^]*?(?:'''|$)|\"(?:\\\\.|[^\"\\\\\\n])*\"?|'(?:\\\\.|[^'\\\\\\n])*'?)|(?:\"\"\"[^]*?(?:\"\"\"|$)|'''[^]*?(?:'''|$)|\"(?:\\\\.|[^\"\\\\\\n])*\"?|'(?:\\\\.|[^'\\\\\\n])*'?))",
  "(?<call>\\btools(?:\\.\\w+)+)",
  `(?<keyword>\\b(?:${keywords.replaceAll(" ", "|")})\\b)`,
  "(?<number>\\b\\d[\\w.]*)",
].join("|"), "g");

// lines gives an element for each line of the program.
export function lines(code) {
  let line = document.createElement("div");
  const all = [line];
  const add = (text, kind) => {
    text.split("\n").forEach((piece, i) => {
      if (i > 0) {
        line = document.createElement("div");
        all.push(line);
      }
      if (!piece) return;
      const span = document.createElement("span");
      if (kind) span.className = kind;
      span.textContent = piece;
      line.append(span);
    });
  };
  let at = 0;
  for (const match of code.matchAll(token)) {
    add(code.slice(at, match.index));
    add(match[0], Object.keys(match.groups).find((kind) => match.groups[kind] !== undefined));
    at = match.index + match[0].length;
  }
  add(code.slice(at));
  if (all.length > 1 && !line.hasChildNodes()) all.pop(); // the program's last line break
  for (const one of all) if (!one.hasChildNodes()) one.textContent = " ";
  return all;
}
