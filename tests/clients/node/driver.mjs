// What every Node driver does: reads requests as lines of JSON and answers each of them with one.
//
// A request names a method of the driver in `do` and its arguments; what the method throws is told as `error`.

import { createInterface } from "node:readline";
import { told } from "./answers.mjs";

export async function serve(driver) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: method, ...request } = JSON.parse(line);
    const answer = await told(() => driver[method](request));
    process.stdout.write(JSON.stringify({ answer }) + "\n");
  }
  await driver.end?.();
  process.exit(0);
}
