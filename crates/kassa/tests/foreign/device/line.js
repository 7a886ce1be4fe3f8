// The line to the test: JSON on standard output and input. What libraries chat about is left out.
'use strict';

const { createInterface } = require('node:readline');

console.log = () => {};

/** Says something: a command for the SDK's view, or what the app has heard. */
function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Hears the test, one message after the other. */
async function hear(act) {
  for await (const line of createInterface({ input: process.stdin })) await act(JSON.parse(line));
}

module.exports = { say, hear };
