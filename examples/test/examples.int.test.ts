import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const source = join(import.meta.dirname, '..', 'src');
const run = promisify(execFile);

/** What the one block of a document says that an example prints, word for word. */
function told(page: string): RegExp {
  const text = readFileSync(join(import.meta.dirname, '..', '..', page), 'utf8');
  const block = /^```text\n([\s\S]*?)^```$/m.exec(text)?.[1] ?? '';
  return new RegExp(`^${block.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')}$`);
}

/** What each example prints; in some, ids differ from run to run. */
const printed: Readonly<Record<string, RegExp>> = {
  'agent-run.ts': /^Trains go at 08:10 and 09:40\.\nBooked: 09:40\.\n$/,
  'analytics.ts': new RegExp(
    '^0 0\\.25\n0\\.0096\nan-unheard-of-model 1 1000 no price\nour-model 1 10500 0\\.0096\n' +
      "0\\.0096 \\[ { model: 'an-unheard-of-model', turns: 1 } \\]\n1 2 0\\.0096\n" +
      "null \\[ { model: 'who-knows', turns: 1 } \\]\nmaxCostPerSession 0\\.05\n$",
  ),
  'answers.ts': /^‹ 3\/3 › \[ 'Minka', 'Pixel', 'Otto' \]\n$/,
  'branches.ts':
    /^2 \{ city: 'Rome', by: 'train' \}\nq1 1 2\n[\s\S]*merged: 'Naples'[\s\S]* by train 4\n[\s\S]*\n$/,
  'chat-route.ts':
    /^I was sent 2 messages, and answer in pieces\.\nI was sent 4 messages, and answer in pieces\.\n$/,
  'configuration.ts': told('docs/configuration.md'),
  'context.ts': /^2 null\n$/,
  'events.ts':
    /^trip: user said something at seq 1\n(?=[\s\S]*Which trains go to Rome\?\n)(?=[\s\S]*trip is closed, reason answered\n)(?:.*\n){2}deleted\n$/,
  'first-session.ts': /^friendlier starts after turn 1 of [0-9A-Za-z]{22}\n$/,
  'memory.ts':
    /^The user said: I like trains\. \(turns 1 to 1, by user, trusted: false\)\n\[ 'Which trains go to Rome\?' \]\n0 0\n$/,
  'groups.ts': /\nstopped\nboth approve 2 complete 5\n$/,
  'moves.ts': /^a1 2 1\n$/,
  'owners.ts': /^Session not found: '[0-9A-Za-z]{22}'\n$/,
  'sqlite.ts': /^$/,
  'sweep.ts': /^1 expired, 0 purged\nexpired\n$/,
  'telemetry.ts':
    /^\{"level":"info","message":"session created","call":"create","session":"[\w-]{16}","ms":[\d.]+,"revision":1,"turns":0\}\n\{[^\n]*"session closed"[^\n]*\}\n$/,
  'turns.ts':
    /^7 assistant Booked: 09:40\.\n[\s\S]*\nLEX_ERR_SES_011 Invalid transition for session /,
  'types.ts': /^$/,
};

/** They have tests of their own. */
const tested = ['postgres.ts', 'select-conversations.ts', 'tour.ts'];

describe.concurrent('each example runs and prints what it should', () => {
  it.each(Object.entries(printed))('%s', async (name, expected) => {
    const folder = await mkdtemp(join(tmpdir(), 'example-'));
    try {
      const args = ['--conditions=@lexigram/source', join(source, name)];
      const { stderr, stdout } = await run(process.execPath, args, { cwd: folder });
      expect(stderr).toBe('');
      expect(stdout).toMatch(expected);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the store of your own', () => {
  const folder = join(source, '..', 'custom-store');

  it('is proved by node:test', async () => {
    // All is proved elsewhere; here it is enough that binding works.
    const flags = [
      '--test',
      '--test-reporter=tap',
      '--test-name-pattern=undo/nothing|persistence/',
    ];
    const args = ['--conditions=@lexigram/source', ...flags, join(folder, 'proofs.ts')];
    const { stderr, stdout } = await run(process.execPath, args);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/# pass 6\n# fail 0\n/);
  });

  it('goes on where it was when the process comes again', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'example-'));
    try {
      const chat = join(folder, 'chat.ts');
      const say = async (text: string): Promise<string> => {
        const args = ['--conditions=@lexigram/source', chat, text];
        return (await run(process.execPath, args, { cwd })).stdout;
      };
      expect(await say('Hello!')).toBe('1: Hello!\n');
      expect(await say('It is me.')).toBe('2: It is me.\n');
    } finally {
      await rm(cwd, { recursive: true });
    }
  });
});

it('no example is left out', async () => {
  const names = (await readdir(source)).filter((name) => name.endsWith('.ts'));
  expect(names.sort()).toEqual([...Object.keys(printed), ...tested].sort());
});
