// read calls told(event) for each server-sent event of a response, in order, until the
// stream ends. EventSource cannot do it: it only makes GET requests.
export async function read(response, told) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { id: 0, type: "", data: null };
      for (const line of block.split("\n")) {
        if (line.startsWith("id: ")) event.id = Number(line.slice(4));
        else if (line.startsWith("event: ")) event.type = line.slice(7);
        else if (line.startsWith("data: ")) event.data = JSON.parse(line.slice(6));
      }
      if (event.type) told(event);
    }
  }
}

// problem is what an answer that is no success says went wrong.
export async function problem(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).error;
  } catch {
    return text || `the server answered ${response.status}`;
  }
}

// post sends JSON. An answer that is no success is an error with its status.
export async function post(path, data) {
  const response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(data) });
  if (!response.ok) throw Object.assign(new Error(await problem(response)), { status: response.status });
  return response;
}
