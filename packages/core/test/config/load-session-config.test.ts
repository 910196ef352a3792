import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSessionConfig } from '../../src/config/load-session-config.ts';
import { parseSessionConfig } from '../../src/config/session-config.ts';
import { type ConfigIssue, SessionConfigError, SessionInputError } from '../../src/errors.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lexigram-config-'));
  file = join(folder, 'application.yaml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Loads what a text and variables give. */
function load(text: string | Uint8Array, env: Record<string, string> = {}, profile?: string) {
  writeFileSync(file, text);
  return loadSessionConfig({ file, env, profile });
}

async function errorOf(loading: Promise<unknown>): Promise<SessionConfigError> {
  const error = await loading.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof SessionConfigError) return error;
  throw new Error('expected a SessionConfigError', { cause: error });
}

/** Each issue as a line, without the folder. */
async function issuesOf(loading: Promise<unknown>): Promise<readonly string[]> {
  const { issues } = await errorOf(loading);
  return issues.map(({ message, path, place }: ConfigIssue) =>
    [place, path, message]
      .filter((part) => part !== undefined)
      .join(' ')
      .replaceAll(`${folder}/`, ''),
  );
}

const inSection = (...lines: readonly string[]): string =>
  ['ai_session:', ...lines.map((line) => `  ${line}`), ''].join('\n');

describe('loadSessionConfig', () => {
  it('reads the section of a file, in code’s names', async () => {
    const text = `${inSection(
      'session_ttl: 60',
      "backend: 'database'",
      'auto_checkpoint_interval: ~',
      'cookie_name: null',
      'cleanup_interval_s: 0.5',
      'consolidate_on_close: false',
      'database: {url: "sqlite:a.db", synchronous: normal}',
    )}other:\n  session_ttl: none of ours\n`;
    const config = await load(text);
    expect(config).toEqual({
      sessionTtl: 60,
      backend: 'database',
      autoCheckpointInterval: null,
      cookieName: null,
      cleanupIntervalS: 0.5,
      consolidateOnClose: false,
      database: { url: 'sqlite:a.db', synchronous: 'normal' },
    });
    expect(parseSessionConfig({ ...config, sessionTtl: 5 })).toMatchObject({
      sessionTtl: 5,
      cookieName: null,
    });
    expect([Object.isFrozen(config), Object.isFrozen(config.database)]).toEqual([true, true]);
  });

  it('lays the profile over the file and the environment over both', async () => {
    writeFileSync(
      join(folder, 'application.production.yaml'),
      inSection('session_ttl: 2', 'retention: 2', 'database: {synchronous: normal}'),
    );
    const text = inSection(
      'session_ttl: 1',
      'name: a',
      'retention: 1',
      'database: {url: "sqlite:a"}',
    );
    const env = { LEX_AI_SESSION__RETENTION: '3' };
    const expected = {
      name: 'a',
      sessionTtl: 2,
      retention: 3,
      database: { url: 'sqlite:a', synchronous: 'normal' },
    };
    expect(await load(text, env, 'production')).toEqual(expected);
    expect(await load(text, { ...env, LEX_PROFILE: 'production' })).toEqual(expected);
    expect(await load(text, { ...env, LEX_PROFILE: 'production' }, 'production')).toEqual(expected);
    expect(
      await load(text, { LEX_PROFILE: 'production', LEX_AI_SESSION__DATABASE__URL: 'sqlite:b' }),
    ).toMatchObject({ database: { url: 'sqlite:b', synchronous: 'normal' } });
    expect(
      await load(text, { LEX_PROFILE: 'production', LEX_AI_SESSION__DATABASE: '' }),
    ).toMatchObject({ database: null });
  });

  it('puts one way to name a cache in the place of the other, and lists as wholes', async () => {
    const text = inSection('cache: {nodes: ["redis://a", "redis://b"]}');
    expect(await load(text, { LEX_AI_SESSION__CACHE__URL: 'redis://c' })).toEqual({
      cache: { url: 'redis://c' },
    });
    expect(await load(text, { LEX_AI_SESSION__CACHE__NODES: 'redis://d, redis://e' })).toEqual({
      cache: { nodes: ['redis://d', 'redis://e'] },
    });
  });

  it('opens a part again that a lower layer has as none', async () => {
    const env = { LEX_AI_SESSION__DATABASE__URL: 'sqlite:a' };
    expect(await load(inSection('database: null'), env)).toEqual({ database: { url: 'sqlite:a' } });
  });

  it.each(['', '\n', '# nothing\n', '---\n', 'other: 1\n', 'ai_session:\n', 'ai_session: {}\n'])(
    'takes %j for nothing given',
    async (text) => {
      expect(await load(text)).toEqual({});
    },
  );

  it('reads anchors, a byte order mark and windows lines', async () => {
    const text =
      '\uFEFFttl: &ttl 60\r\nai_session:\r\n  session_ttl: *ttl\r\n  retention: *ttl\r\n';
    expect(await load(text)).toEqual({ sessionTtl: 60, retention: 60 });
  });

  it('leaves every variable alone that is not ours', async () => {
    const env = {
      PATH: '/bin',
      LEX_OTHER__BACKEND: 'x',
      AI_SESSION__BACKEND: 'x',
      LEX_AI_SESSIONS: 'x',
    };
    expect(await load('', env)).toEqual({});
  });

  it('lets code give what a backend needs', async () => {
    const config = await load(inSection('backend: database'));
    expect(() => parseSessionConfig(config)).toThrow(/database\.url: is missing/);
    expect(parseSessionConfig({ ...config, database: { url: 'sqlite:a' } }).backend).toBe(
      'database',
    );
  });
});

describe('which files have to be there', () => {
  const missing = () => loadSessionConfig({ file: join(folder, 'none.yaml'), env: {} });

  it('one that is named', async () => {
    expect(await issuesOf(missing())).toEqual(['none.yaml is not there']);
    expect(await issuesOf(load('', {}, 'staging'))).toEqual([
      'application.staging.yaml is not there',
    ]);
  });

  it('not that of LEX_PROFILE, nor the usual one', async () => {
    const there = process.cwd();
    try {
      process.chdir(folder);
      expect(await loadSessionConfig({ env: {} })).toEqual({});
      writeFileSync(file, inSection('name: found'));
      expect(await loadSessionConfig({ env: {} })).toEqual({ name: 'found' });
      const env = { LEX_PROFILE: 'staging' };
      expect(await loadSessionConfig({ env })).toEqual({ name: 'found' });
      expect(await loadSessionConfig({ file, env })).toEqual({ name: 'found' });
    } finally {
      process.chdir(there);
    }
  });

  it('and they have to be plain, short and UTF-8', async () => {
    mkdirSync(join(folder, 'folder.yaml'));
    const loading = loadSessionConfig({ file: join(folder, 'folder.yaml'), env: {} });
    expect(await issuesOf(loading)).toEqual(['folder.yaml is no file that can be read']);
    expect(await issuesOf(load(new Uint8Array([0x61, 0xff])))).toEqual([
      'application.yaml is not UTF-8',
    ]);
    expect(await issuesOf(load('#'.repeat(1_048_577)))).toEqual([
      'application.yaml has 1048577 bytes; at most 1048576 are read',
    ]);
    expect(await load('#'.repeat(1_048_576))).toEqual({});
  });
});

describe('variables', () => {
  it.each([
    ['SESSION_TTL', '60', { sessionTtl: 60 }],
    ['SESSION_TTL', ' 0 ', { sessionTtl: 0 }],
    ['CLEANUP_INTERVAL_S', '0.25', { cleanupIntervalS: 0.25 }],
    ['ENABLED', 'false', { enabled: false }],
    ['ENABLED', 'TRUE', { enabled: true }],
    ['ENABLED', '0', { enabled: false }],
    ['CONSOLIDATE_ON_CLOSE', 'on', { consolidateOnClose: true }],
    ['BACKEND', 'database', { backend: 'database' }],
    ['NAME', '007', { name: '007' }],
    ['NAME', 'true', { name: 'true' }],
    ['COOKIE_NAME', '', { cookieName: null }],
    ['COOKIE_NAME', 'null', { cookieName: null }],
    ['AUTO_CHECKPOINT_INTERVAL', '', { autoCheckpointInterval: null }],
    ['DEFAULT_SYSTEM_PROMPT', 'Be brief: a, b.', { defaultSystemPrompt: 'Be brief: a, b.' }],
    ['DATABASE__URL', 'sqlite:a', { database: { url: 'sqlite:a' } }],
  ])('%s=%s', async (name, value, expected) => {
    expect(await load('', { [`LEX_AI_SESSION__${name}`]: value })).toEqual(expected);
  });

  it.each([
    ['SESSION_TTL', '', /whole number from 0 .*; got null/],
    ['SESSION_TTL', '1e3', /got '1e3'/],
    ['SESSION_TTL', '0x10', /got '0x10'/],
    ['SESSION_TTL', '1.5', /got 1.5/],
    ['SESSION_TTL', '-1', /got -1/],
    ['SESSION_TTL', '60s', /got '60s'/],
    ['SESSION_TTL', '٣', /got '٣'/],
    ['ENABLED', 'maybe', /true or false; got 'maybe'/],
    ['NAME', '', /1 to 256 characters; got null/],
    ['BACKEND', 'redis', /one of in_memory, cache, database; got 'redis'/],
    ['HEADER_NAME', 'a b', /letters, digits/],
    ['DATABASE', 'sqlite:a', /the fields url, synchronous, or null for none/],
    ['CACHE__NODES', 'redis://a,,redis://b', /1 to 4,096 characters; got ''/],
  ])('%s=%s is refused', async (name, value, message) => {
    const full = `LEX_AI_SESSION__${name}`;
    const [issue, ...more] = (await errorOf(load('', { [full]: value }))).issues;
    expect(more).toEqual([]);
    expect(issue?.path.startsWith(full)).toBe(true);
    expect(issue?.place).toBeUndefined();
    expect(issue?.message).toMatch(message);
  });

  it.each([
    ['LEX_AI_SESSION__SESION_TTL', 'LEX_AI_SESSION__SESSION_TTL'],
    ['LEX_AI_SESSION_BACKEND', 'LEX_AI_SESSION__BACKEND'],
    ['lex_ai_session__backend', 'LEX_AI_SESSION__BACKEND'],
    ['LEX_AI_SESSION__DATABASE_URL', 'LEX_AI_SESSION__DATABASE__URL'],
    ['LEX_AI_SESSION__DATABASE__SYNC', undefined],
    ['LEX_AI_SESSION__TEMPERATURE', undefined],
    ['LEX_AI_SESSION__', undefined],
    ['LEX_AI_SESSION____proto__', undefined],
  ])('%s is unknown', async (name, meant) => {
    const [issue] = (await errorOf(load('', { [name]: 'x' }))).issues;
    expect(issue?.path).toBe(name);
    const suggestion = meant === undefined ? '' : `; did you mean '${meant}'?`;
    expect(issue?.message).toBe(`is not a field of the configuration${suggestion}`);
  });
});

describe('a SessionConfigError of a file', () => {
  it('has every problem, in order, of all sources', async () => {
    writeFileSync(join(folder, 'application.dev.yaml'), inSection('cookie_name: "a b"'));
    const text = inSection(
      'sesion_ttl: 60',
      'max_turns_per_session: many',
      'database:',
      '  url: sqlite:a.db',
      '  synchronous: sometimes',
      '  path: a.db',
      'retention: -1',
    );
    const loading = load(text, { LEX_AI_SESSION__ENABLED: 'maybe' }, 'dev');
    expect(await issuesOf(loading)).toEqual([
      "application.dev.yaml:2:16 ai_session.cookie_name expected 1 to 128 letters, digits and !#$%&'*+.^_`|~-, or null for none; got 'a b'",
      "application.yaml:2:3 ai_session.sesion_ttl is not a field of the configuration; did you mean 'session_ttl'?",
      "application.yaml:3:26 ai_session.max_turns_per_session expected a whole number from 1 to 10,000,000; got 'many'",
      "application.yaml:6:18 ai_session.database.synchronous expected one of full, normal; got 'sometimes'",
      'application.yaml:7:5 ai_session.database.path is not a field of the configuration',
      'application.yaml:8:14 ai_session.retention expected a whole number from 0 to 1,000,000,000, or null for none; got -1',
      "LEX_AI_SESSION__ENABLED expected true or false; got 'maybe'",
    ]);
    expect((await errorOf(load(text, {}, 'dev'))).message.split('\n')).toHaveLength(7);
  });

  it.each([
    ['ai_session: [a]', '1:13 ai_session expected the fields enabled, '],
    ['ai_session: text', '1:13 ai_session expected the fields enabled, '],
    ['- ai_session', '1:1 YAML expected the section ai_session'],
    ['ai_sesion: {}', "1:1 ai_sesion is not a section of ours; did you mean 'ai_session'?"],
    ['a: 1\nai-session: {}', "2:1 ai-session is not a section of ours; did you mean 'ai_session'?"],
    [
      'ai_session: {sessionTtl: 1}',
      "1:14 ai_session.sessionTtl is not a field of the configuration; did you mean 'session_ttl'?",
    ],
    [
      'ai_session: {__proto__: {a: 1}}',
      '1:14 ai_session.__proto__ is not a field of the configuration',
    ],
    ['ai_session: {? [a] : 1}', '1:16 ai_session.a key that is no text is not a field'],
    [
      'ai_session: {name: {a: 1}}',
      '1:20 ai_session.name expected a text of 1 to 256 characters; got a value of type object',
    ],
    [
      'ai_session: {session_ttl: "60"}',
      "1:27 ai_session.session_ttl expected a whole number from 0 to 1,000,000,000; got '60'",
    ],
    ['ai_session: {session_ttl: 1e400}', '1:27 ai_session.session_ttl expected a whole number'],
    ['ai_session: {session_ttl: .nan}', '1:27 ai_session.session_ttl expected a whole number'],
    ['ai_session: {session_ttl: }', '1:27 ai_session.session_ttl expected a whole number'],
    ['ai_session: {enabled: yes}', "1:23 ai_session.enabled expected true or false; got 'yes'"],
    [
      'ai_session: {database: x}',
      '1:24 ai_session.database expected the fields url, synchronous; got a text of 1 characters',
    ],
    [
      'ai_session: {database: {synchronous: full}}',
      '1:24 ai_session.database.url expected a text of 1 to 4,096 characters; got nothing',
    ],
    [
      'ai_session: {cache: {url: "redis://a", nodes: [a]}}',
      '1:27 ai_session.cache.url cannot stand beside nodes',
    ],
    [
      'ai_session: {cache: {uri: "redis://a"}}',
      "1:22 ai_session.cache.uri is not a field of the configuration; did you mean 'url'?",
    ],
    [
      'ai_session: {cache: {nodes: [a, 5]}}',
      '1:33 ai_session.cache.nodes[1] expected a text of 1 to 4,096 characters; got 5',
    ],
    ['ai_session: {cache: {nodes: &a [*a, *a]}}', '1:33 ai_session.cache.nodes[0] expected a text'],
    ['ai_session: {name: a, name: b}', '1:23 YAML has this key a second time; leave one'],
    ['other: {a: 1, "a": 2}', '1:15 YAML has this key a second time; leave one'],
    ['a: &a {b: 1}\nai_session: {<<: *a}', '2:14 YAML has a merge key; write the fields out'],
    ['ai_session: {name: !secret x}', '1:20 YAML has a tag of its own; write the plain value'],
    ['ai_session: !!js/function "x"', '1:13 YAML has a tag of its own'],
    ['%TAG ! tag:a\n---\na: 1', '1:1 YAML has a directive; leave it out'],
    ['a: 1\n---\nb: 1', '2:1 YAML has a second document; leave one'],
    ['ai_session:\n\tname: a', '2:1 YAML is indented by a tab; use spaces'],
    ['ai_session: {name: *none}', '1:20 YAML has an alias without its anchor'],
    ['ai_session: {name: "a', '1:22 YAML misses a character here'],
    ['ai_session:\n  name: a: b', '2:9 YAML has a second colon here'],
    ['@', '1:1 YAML starts with a character that needs quotes'],
  ])('%s', async (text, issue) => {
    const [first] = await issuesOf(load(text));
    expect(first).toContain(`application.yaml:${issue}`);
  });

  it('never quotes a password, a prompt or the file', async () => {
    const secret = 'zqc4n4ry';
    const texts = [
      inSection(`database: {url: "postgres://user:${secret}@host/db", synchronous: x}`),
      inSection(`database: "postgres://user:${secret}@host/db?a=b"`),
      inSection(`database: {url: {a: ${secret}}}`),
      inSection(`cache: {url: "redis://:${secret}@host", nodes: ["redis://:${secret}@host"]}`),
      inSection(`cache: {nodes: ["${`redis://:${secret}@host/`.padEnd(5_000, 'x')}"]}`),
      inSection(`cache: {nodes: ["${`redis://host/?password=${secret}`.padEnd(5_000, 'x')}"]}`),
      inSection(`cache: {nodes: ["${`redis://a@${secret}:b@host`.padEnd(5_000, 'x')}"]}`),
      inSection(`cache: {nodes: ["${`redis://:${secret}`.padEnd(5_000, 'x')}"]}`),
      inSection(`cache: {nodes: ["${`host=a password=${secret}`.padEnd(5_000, 'x')}"]}`),
      inSection(`default_system_prompt: ["${secret}"]`, `default_system_prompts: ${secret}`),
      inSection(`default_system_prompt: "${secret.padEnd(300_000, 'x')}"`),
      `ai_session: {database: {url: "postgres://user:${secret}@host"`,
      `ai_session: {database: {url: @${secret}}}`,
      `ai_session: *${secret}`,
      `ai_session: !${secret} x`,
      `ai_session: "\\${secret}"`,
      `ai_session:\n  - ${secret}\n ${secret}: [\n`,
    ];
    for (const text of texts) {
      const error = await errorOf(load(text));
      expect(error.issues.length, text).toBeGreaterThan(0);
      expect(
        JSON.stringify([error.message, error.stack, error.issues, error.cause]),
        text,
      ).not.toContain(secret);
    }
    const env = {
      LEX_AI_SESSION__DATABASE: `postgres://user:${secret}@host`,
      LEX_AI_SESSION__CACHE__NODES: `,redis://:${secret}@host`,
      LEX_AI_SESSION__DATABASE__SYNCHRONOUS: 'x',
    };
    expect((await errorOf(load('', env))).message).not.toContain(secret);
  });
});

describe('options', () => {
  it.each([
    [{ files: 'a' }, /unknown field 'files'/],
    [{ file: '' }, /Invalid options\.file/],
    [{ file: 5 }, /Invalid options\.file/],
    [{ file: 'a\0b' }, /Invalid options\.file/],
    [{ profile: '../x' }, /Invalid options\.profile/],
    [{ profile: '' }, /Invalid options\.profile/],
    [{ env: 'a' }, /Invalid options\.env/],
    [{ env: null }, /Invalid options\.env/],
  ])('%j are refused', async (options, message) => {
    const loading = loadSessionConfig(options as never);
    await expect(loading).rejects.toThrow(SessionInputError);
    await expect(loading).rejects.toThrow(message);
  });

  it('a profile of the environment leads to no other folder', async () => {
    expect(await issuesOf(load('', { LEX_PROFILE: '../../etc/passwd' }))).toEqual([
      "LEX_PROFILE expected a profile of 1–64 of A–Z, a–z, 0–9, _ and -; got '../../etc/passwd'",
    ]);
    expect(await load('', { LEX_PROFILE: '' })).toEqual({});
  });
});
