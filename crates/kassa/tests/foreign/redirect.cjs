// Loaded with `node --require`: for this process alone, Klarna's names lead to the playground.
'use strict';

const https = require('node:https');

const [host, port] = process.env.KLARNA_AT.split(':');
const connect = https.Agent.prototype.createConnection;

https.Agent.prototype.createConnection = function createConnection(options, ...rest) {
  const name = options.servername || options.host || options.hostname || '';
  if (!name.endsWith('.klarna.com')) throw new Error(`${name} is not to be called by a test`);
  return connect.call(this, { ...options, host, port: Number(port), servername: name }, ...rest);
};
