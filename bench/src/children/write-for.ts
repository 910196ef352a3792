import { basename, dirname } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { turnSource } from '../conversations.ts';
import { noCaps, openSessions } from '../sessions.ts';

/** What one of several processes reports about its time. */
export interface Written {
  readonly turns: number;
  readonly errors: readonly string[];
  /** The longest that its event loop stood still, in milliseconds. */
  readonly stillMs: number;
}

// write-for <file> <user> <callers> <from> <milliseconds>: adds turns at FULL from a time on, for so long.
const [file = '', userId = '', callers = '1', from = '0', forMs = '0'] = process.argv.slice(2);
await using sessions = await openSessions(dirname(file), basename(file), 'full', noCaps);
const nextTurn = await turnSource();
const ids = await Promise.all(
  Array.from({ length: Number(callers) }, async () => {
    return (await sessions.manager.create({ userId })).sessionId;
  }),
);
// Warm up, so that compiling does not count as standing still.
for (const id of ids) await sessions.manager.addTurn(id, nextTurn());

await new Promise((resolve) => setTimeout(resolve, Math.max(0, Number(from) - Date.now())));
const errors: string[] = [];
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const end = performance.now() + Number(forMs);
const counts = await Promise.all(
  ids.map(async (id) => {
    let turns = 0;
    while (performance.now() < end && errors.length < 10) {
      try {
        await sessions.manager.addTurn(id, nextTurn());
        turns += 1;
      } catch (error) {
        errors.push(String(error));
      }
    }
    return turns;
  }),
);
delay.disable();
const written: Written = {
  turns: counts.reduce((sum, turns) => sum + turns, 0),
  errors,
  stillMs: delay.max / 1e6,
};
process.stdout.write(JSON.stringify(written));
