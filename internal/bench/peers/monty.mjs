import { createInterface } from "node:readline";
import { Monty } from "@pydantic/monty";

for await (const program of createInterface({ input: process.stdin })) {
  process.stdout.write(`${new Monty(program).run()}\n`);
}
