import { parseArgs } from 'node:util';
import { createSessions, type SessionConfigInput } from '@lexigram/ai-session';
import { realConversations, withoutIds } from '../conversations.ts';
import { fillStore } from './fill-store.ts';
import { placeOf } from './place.ts';
import { planFill } from './plan.ts';
import { Progress } from './progress.ts';

const usage = `npm run bench -- fill --store <url> [--turns 1000000] [--sessions 20000] [--seed 1] [--batch 20] [--at-once 64]

Fills a store with sessions of real lengths. The URL is sqlite:fill.db, postgres://host/database?schema=fill or
redis://host?prefix=fill:, and the name of the file, schema or prefix must begin with 'fill'. Stopped by Ctrl-C it ends
after the calls that run; the same command goes on from there. CONVERSATIONS_DIR names other conversations.`;

/** Conversations are longer than the cap of turns; everything else is as anybody has it. */
export const fillConfig: SessionConfigInput = { maxTurnsPerSession: 1_000_000 };

/** What `npm run bench -- fill` does with its arguments; answers the exit code. */
export async function runFill(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof parse>;
  try {
    options = parse(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  try {
    const isWhole = await fill(options, stop.signal);
    if (!isWhole) console.error('Stopped. The same command goes on from here.');
    return isWhole ? 0 : 130;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

async function fill(
  { atOnce, batch, place, ...counts }: ReturnType<typeof parse>,
  signal: AbortSignal,
): Promise<boolean> {
  const conversations = withoutIds(await realConversations(process.env['CONVERSATIONS_DIR']));
  const plan = planFill({ ...counts, conversations });
  await using sessions = await createSessions({ ...fillConfig, ...place.config });
  const progress = new Progress({ target: process.stderr, unit: 'turns', total: plan.turns });
  const isWhole = await fillStore(sessions, plan, { atOnce, batch, progress, signal });
  progress.end();
  return isWhole;
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      store: { type: 'string' },
      turns: { type: 'string', default: '1000000' },
      sessions: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      batch: { type: 'string', default: '20' },
      'at-once': { type: 'string', default: '64' },
    },
  });
  if (values.store === undefined) throw new RangeError('--store is missing');
  const turns = count(values, 'turns', 1, Number.MAX_SAFE_INTEGER);
  return {
    place: placeOf(values.store),
    turns,
    sessions: count(values, 'sessions', 1, turns),
    seed: count(values, 'seed', 0, 2 ** 32 - 1),
    batch: count(values, 'batch', 1, 100),
    atOnce: count(values, 'at-once', 1, 1_000),
  };
}

function count<Name extends string>(
  values: Readonly<Record<Name, string>>,
  name: Name,
  least: number,
  most: number,
): number {
  const value = /^\d+$/.test(values[name]) ? Number(values[name]) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new RangeError(`--${name}: expected a whole number from ${least} to ${most}`);
}
