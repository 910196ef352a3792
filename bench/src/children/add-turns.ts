import { basename, dirname } from 'node:path';
import { turnSource } from '../conversations.ts';
import { newSession, noCaps, openSessions } from '../sessions.ts';

// add-turns <file> <callers> <turns>: so many turns at FULL, shared by callers with a session each.
const [file = '', callers = '1', turns = '1'] = process.argv.slice(2);
await using sessions = await openSessions(dirname(file), basename(file), 'full', noCaps);
const nextTurn = await turnSource();
const each = Math.floor(Number(turns) / Number(callers));

const ids = await Promise.all(Array.from({ length: Number(callers) }, () => newSession(sessions)));
await Promise.all(
  ids.map(async (id) => {
    for (let n = 0; n < each; n++) await sessions.manager.addTurn(id, nextTurn());
  }),
);
