// Each request runs its program in an isolate that nobody used before, without a network.
let count = 0;

export default {
  async fetch(request, env) {
    const worker = env.LOADER.get(`program-${count++}`, () => ({
      compatibilityDate: "2026-01-01",
      mainModule: "program.js",
      modules: { "program.js": "export default { fetch() { return new Response(String(1+1)) } }" },
      env: {},
      globalOutbound: null,
    }));
    return worker.getEntrypoint().fetch(request);
  },
};
