import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '..', 'src', 'web');
const servers = ['express.ts', 'fastify.ts', 'hono.ts'];
const parts = ['next-route.ts', 'record-answer.ts', 'scripted-model.ts', 'secrets.ts'];

interface Turn {
  readonly role: string;
  readonly content: string;
  readonly state?: string;
}

/** Talks to a chat as a browser does, that keeps the cookie. */
async function chat(ask: (path: string, init: RequestInit) => Promise<Response>): Promise<void> {
  const post = (body: string, cookie = ''): Promise<Response> =>
    ask('/chat', { method: 'POST', body, headers: { 'content-type': 'text/plain', cookie } });
  const first = await post('hello');
  expect(first.status).toBe(200);
  expect(await first.text()).toBe('Answer 1: you said "hello".');
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const second = await post('and now?', cookie);
  expect(await second.text()).toBe('Answer 2: you said "and now?".');
  const history = await ask('/history', { headers: { cookie } });
  const told = (await history.json()) as Turn[] | { turns: Turn[] };
  const turns = Array.isArray(told) ? told : told.turns;
  expect(turns.map(({ content, role, state }) => [role, content, state])).toEqual([
    ['user', 'hello', undefined],
    ['assistant', 'Answer 1: you said "hello".', 'complete'],
    ['user', 'and now?', undefined],
    ['assistant', 'Answer 2: you said "and now?".', 'complete'],
  ]);
}

describe.each(servers)('the chat on %s', (name) => {
  it('streams its answers and records them', async () => {
    const child = spawn(process.execPath, ['--conditions=@lexigram/source', join(folder, name)], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    try {
      const [address] = (await once(createInterface(child.stdout), 'line')) as [string];
      await chat((path, init) => fetch(address + path, init));
      expect(Buffer.concat(said).toString()).toBe('');
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });
});

it('the chat on Nest, of two modules, streams its answers and records them', async () => {
  const cwd = join(import.meta.dirname, '..');
  const child = spawn('npm', ['run', '--silent', 'nest-chat'], {
    cwd,
    detached: true,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [address] = (await once(createInterface(child.stdout), 'line')) as [string];
    await chat((path, { body, headers, method }) => {
      if (method !== 'POST')
        return fetch(address + path, { headers: headers as Record<string, string> });
      const json = { ...(headers as Record<string, string>), 'content-type': 'application/json' };
      const said = JSON.stringify({ said: body });
      return fetch(address + path, { method, headers: json, body: said });
    });
    expect(await (await fetch(`${address}/health`)).json()).toMatchObject({
      sessions: { status: 'up' },
    });
  } finally {
    process.kill(-(child.pid as number));
    await once(child, 'exit');
  }
});

it('the route handler for Next streams its answers and records them', async () => {
  const { GET, POST } = await import('../src/web/next-route.ts');
  await chat((path, init) => {
    const handler = init.method === 'POST' ? POST : GET;
    return handler(new Request(`http://127.0.0.1${path}`, init));
  });
});

it('no example is left out, and each is short', async () => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts'));
  expect(names.toSorted()).toEqual([...servers, ...parts].toSorted());
  const nest = ['app.ts', 'chat.module.ts', 'support.module.ts'].map(
    (name) => `../../nest/${name}`,
  );
  for (const name of [...names, ...nest]) {
    const lines = (await readFile(join(folder, name), 'utf8')).split('\n').length;
    expect(lines, name).toBeLessThan(60);
  }
});
