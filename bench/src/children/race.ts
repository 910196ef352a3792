import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { adkDatabase } from '../peers/adk.ts';
import { sqliteSaver } from '../peers/langgraph.ts';
import { mastra } from '../peers/mastra.ts';
import { ownSqlite } from '../peers/own.ts';
import { race } from '../peers/race.ts';

// race <peer> <directory> <conversation> <who> <turns>: adds turns to a conversation that is there, once both are ready.
const [name, directory = '', id = '', who = '', turns = '0'] = process.argv.slice(2);
const peer = [ownSqlite, sqliteSaver, mastra, adkDatabase].find((one) => one.name === name);
if (peer === undefined) throw new Error(`no peer ${name}`);
const store = await peer.open(directory);
const conversation = await store.open(id);
writeFileSync(join(directory, `ready-${who}`), '');
while (!['a', 'b'].every((one) => existsSync(join(directory, `ready-${one}`))))
  await setImmediate();
const raced = await race(conversation, who, Number(turns));
await store.close();
process.stdout.write(JSON.stringify(raced));
