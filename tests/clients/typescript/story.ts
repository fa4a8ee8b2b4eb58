// A consumer's program over the client that public generators make of the description: who am
// I, an alias, mail to it, its messages page by page, and what to do when the calls run out.

import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";

import createClient from "openapi-fetch";

import type { components, paths } from "./description.js";

type MessageRow = components["schemas"]["MessageRow"];
type Query = NonNullable<paths["/api/v1/messages"]["get"]["parameters"]["query"]>;

const SUBJECTS = ["first", "second", "third", "fourth", "fifth"];

const client = createClient<paths, "application/json">({
  baseUrl: setting("API"),
  headers: { Authorization: `Bearer ${setting("TOKEN")}` },
});
const stdin = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

async function whoAmI(): Promise<void> {
  const { data, error } = await client.GET("/api/v1/me");
  if (error) throw new Error(error.error.message);
  assert(data.token !== null, "this is a call with a token");
  console.log(`me ${data.team.name} ${data.token.name}`);
}

async function createAlias(): Promise<components["schemas"]["Alias"]> {
  const { data, error } = await client.POST("/api/v1/aliases", { body: { note: "made by a program" } });
  if (error) throw new Error(error.error.message);
  console.log(`alias ${data.address}`);
  return data;
}

/** A mail by SMTP, without waiting for anything but its answers. */
async function send(to: string, subject: string): Promise<void> {
  const [host, port] = setting("SMTP").split(":");
  const socket = connect(Number(port), host);
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  const answer = async (code: string): Promise<void> => {
    for (;;) {
      const { value, done } = await answers.next();
      assert(done !== true && value.startsWith(code), `expected ${code}, not ${value}`);
      if (value[3] !== "-") return;
    }
  };
  await answer("220");
  const mail = `From: bob@customer.test\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\nHello\r\n.`;
  const talk: [string, string][] = [
    ["EHLO client.test", "250"],
    ["MAIL FROM:<bob@customer.test>", "250"],
    [`RCPT TO:<${to}>`, "250"],
    ["DATA", "354"],
    [mail, "250"],
    ["QUIT", "221"],
  ];
  for (const [line, code] of talk) {
    socket.write(`${line}\r\n`);
    await answer(code);
  }
  socket.end();
  await once(socket, "close");
}

async function* messages(alias: string): AsyncGenerator<MessageRow> {
  let cursor: string | null = null;
  do {
    const query: Query = cursor === null ? { alias, limit: 2 } : { alias, limit: 2, cursor };
    const { data, error } = await client.GET("/api/v1/messages", { params: { query } });
    if (error) throw new Error(error.error.message);
    console.log(`page ${data.data.length}`);
    yield* data.data;
    cursor = data.pagination.nextCursor;
  } while (cursor !== null);
}

/** Calls until it is refused, waits as long as Retry-After says, and goes on. */
async function callUntilTheLimit(): Promise<void> {
  for (;;) {
    const { error, response } = await client.GET("/api/v1/me");
    if (error === undefined) continue;
    assert(response.status === 429, `${response.status} ${error.error.message}`);
    assert(error.error.code === "RATE_LIMIT_EXCEEDED", error.error.code);
    await wait(Number(response.headers.get("Retry-After")));
    break;
  }
  const { response } = await client.GET("/api/v1/me");
  console.log(`then ${response.status}`);
}

/** The test has the clock: it says when the time has passed. */
async function wait(seconds: number): Promise<void> {
  console.log(`wait ${seconds}`);
  await stdin.next();
}

await whoAmI();
const alias = await createAlias();
for (const subject of SUBJECTS) await send(alias.address, subject);
const found: string[] = [];
for await (const message of messages(alias.id)) found.push(message.subject);
assert(found.join() === [...SUBJECTS].reverse().join(), `other messages came: ${found.join()}`);
await callUntilTheLimit();
process.exit(0);
