import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSessions, type Sessions } from '@lexigram/ai-session';
import { explain } from './tour/explain.ts';
import { createScreen, type Screen } from './tour/screen.ts';
import { show } from './tour/show.ts';
import { tour } from './tour/tell.ts';
import { oneLine } from './tour/text.ts';

const usage = `usage: npm start -- [--db <file>] [--show <session id>]

  --db <file>           where the sessions are kept; sessions.db if left out
  --show <session id>   shows one session instead of the whole tour`;

interface Asked {
  readonly db: string;
  readonly show: string | undefined;
}

/** What the command line asks for; a text where it asks for nothing that can be done. */
function parse(args: readonly string[]): Asked | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { db: { type: 'string' }, show: { type: 'string' }, help: { type: 'boolean' } },
    });
    if (values.help === true) return usage;
    const { db = 'sessions.db', show: shown } = values;
    return db === '' ? `--db needs a file.\n\n${usage}` : { db, show: shown };
  } catch (error) {
    return `${(error as Error).message}\n\n${usage}`;
  }
}

/** Caps wide enough for the longest conversation, and sessions that never expire. */
function open(db: string): Promise<Sessions> {
  return createSessions({
    backend: 'database',
    database: { url: `sqlite:${db}` },
    sessionTtl: 0,
    maxTurnsPerSession: 100_000,
    maxSessionsPerUser: 10_000,
    maxBranchesPerSession: 1_000,
  });
}

async function run({ db, show: shown }: Asked, screen: Screen): Promise<void> {
  await using sessions = await open(db);
  if (shown !== undefined) await show(sessions, shown, screen);
  else await tour(sessions, { data: join(import.meta.dirname, '..', 'data'), db }, screen);
}

// The reader has closed the pipe, as `head` does: nobody is left to tell anything.
process.stdout.on('error', () => process.exit(0));

const asked = parse(process.argv.slice(2));
if (asked === usage) {
  console.log(usage);
} else if (typeof asked === 'string') {
  console.error(asked);
  process.exitCode = 2;
} else if (asked.show !== undefined && !existsSync(asked.db)) {
  console.error(`${oneLine(asked.db)} is not there: it is made by npm start.`);
  process.exitCode = 1;
} else {
  const screen = createScreen(process.stdout);
  try {
    await run(asked, screen);
  } catch (error) {
    const sentence = explain(error, asked.db);
    if (sentence === null) throw error;
    screen.show(null);
    console.error(sentence);
    process.exitCode = 1;
  }
}
