import { describe, expect, it } from 'vitest';
import { parseSessionConfig } from '../../src/config/session-config.ts';
import { type ConfigIssue, SessionConfigError } from '../../src/errors.ts';

/** The original's fields and defaults, under their names there. */
const original: Readonly<Record<string, unknown>> = {
  enabled: true,
  name: 'ai-session',
  default_system_prompt: null,
  backend: 'in_memory',
  session_ttl: 86_400,
  cleanup_interval_s: 600,
  max_turns_per_session: 1_000,
  max_sessions_per_user: 100,
  auto_checkpoint_interval: 10,
  max_checkpoints_per_session: 50,
  max_branches_per_session: 10,
  max_agents_per_group: 10,
  default_turn_strategy: 'round_robin',
  cookie_name: 'lexigram_session',
  header_name: 'X-Session-ID',
  consolidate_on_close: true,
};

const camelCase = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function issuesOf(config: unknown): readonly ConfigIssue[] {
  try {
    parseSessionConfig(config);
  } catch (error) {
    if (error instanceof SessionConfigError) return error.issues;
    throw error;
  }
  return [];
}

const pathsOf = (config: unknown): readonly string[] => issuesOf(config).map(({ path }) => path);

describe('parseSessionConfig', () => {
  it.each(Object.entries(original))('has the default of %s', (name, value) => {
    const config: Readonly<Record<string, unknown>> = { ...parseSessionConfig() };
    expect(config[camelCase(name)]).toBe(value);
  });

  it('adds defaults that change nothing', () => {
    expect(parseSessionConfig({})).toMatchObject({
      sessionMaxAge: null,
      retention: null,
      onTurnLimit: 'close',
      database: null,
      cache: null,
    });
  });

  it('has every field, whatever is given', () => {
    const fields = Object.keys(parseSessionConfig());
    const given = { sessionTtl: 5, database: { url: 'sqlite:x' }, name: undefined };
    expect(Object.keys(parseSessionConfig(given)).sort()).toEqual(fields.sort());
    expect(parseSessionConfig(given).name).toBe('ai-session');
    expect(parseSessionConfig(given).database).toEqual({ url: 'sqlite:x', synchronous: 'full' });
  });

  it('takes its own answer', () => {
    const config = parseSessionConfig({ backend: 'database', database: { url: 'sqlite:x' } });
    expect(parseSessionConfig(config)).toEqual(config);
  });

  it('copies and freezes all of it', () => {
    const nodes = ['redis://a', 'redis://b'];
    const database = { url: 'sqlite:x' };
    const config = parseSessionConfig({ database, cache: { nodes } });
    nodes.push('redis://c');
    database.url = 'sqlite:y';
    expect(config.cache).toEqual({ nodes: ['redis://a', 'redis://b'] });
    expect(config.database?.url).toBe('sqlite:x');
    const cache = config.cache as { readonly nodes: readonly string[] };
    const parts = [config, config.database, cache, cache.nodes];
    expect(parts.map((part) => Object.isFrozen(part))).toEqual([true, true, true, true]);
  });

  it('does not take a default for a mistake', () => {
    for (const name of Object.keys(original).map(camelCase)) {
      expect(pathsOf({ [name]: Symbol('x') }), name).toEqual([name]);
    }
  });
});

describe('SessionConfigError', () => {
  it('has every problem', () => {
    const config = {
      sessionTtl: -1,
      maxTurnsPerSession: 'many',
      backend: 'redis',
      database: { url: '', sync: 1 },
      sesionTtl: 1,
      header: 'X',
    };
    expect([...pathsOf(config)].sort()).toEqual(
      [
        'backend',
        'database.sync',
        'database.url',
        'header',
        'maxTurnsPerSession',
        'sesionTtl',
        'sessionTtl',
      ].sort(),
    );
    const { message } = new SessionConfigError(issuesOf(config));
    for (const path of pathsOf(config)) expect(message).toContain(path);
  });

  it('has what is missing beside what is wrong', () => {
    expect([...pathsOf({ backend: 'database', sessionTtl: -1 })].sort()).toEqual([
      'database.url',
      'sessionTtl',
    ]);
    expect([...pathsOf({ backend: 'cache', sesionTtl: 1 })].sort()).toEqual([
      'cache.url',
      'sesionTtl',
    ]);
  });

  it('names each field once', () => {
    expect(pathsOf({ maxTurnsPerSession: 2 ** 53 })).toEqual(['maxTurnsPerSession']);
  });

  it('shows the value at fault', () => {
    expect(issuesOf({ sessionTtl: -17 })[0]?.message).toContain('-17');
    expect(issuesOf({ backend: 'redis' })[0]?.message).toContain("'redis'");
    expect(issuesOf({ maxTurnsPerSession: 1.5 })[0]?.message).toContain('1.5');
  });

  it('shows no address, which may hold a password', () => {
    const url = `postgres://user:secret@host/${'x'.repeat(5_000)}`;
    for (const { message } of issuesOf({ database: { url }, cache: { url } })) {
      expect(message).not.toContain('secret');
    }
    expect(pathsOf({ database: { url } })).toEqual(['database.url']);
  });
});

describe('suggestions', () => {
  it.each(Object.keys(original).filter((name) => name.includes('_')))(
    "know the original's %s",
    (name) => {
      expect(issuesOf({ [name]: 1 })[0]?.message).toContain(`did you mean '${camelCase(name)}'?`);
    },
  );

  it.each([
    ['sesionTtl', 'sessionTtl'],
    ['sessionTTL', 'sessionTtl'],
    ['maxTurnPerSession', 'maxTurnsPerSession'],
    ['Backend', 'backend'],
    ['cookiename', 'cookieName'],
    ['databse', 'database'],
    ['enable', 'enabled'],
  ])('lead from %s to %s', (given, meant) => {
    expect(issuesOf({ [given]: 1 })[0]?.message).toContain(`did you mean '${meant}'?`);
  });

  it.each(['temperature', 'x', '', 'constructor', 'k'.repeat(100)])(
    'are not made for %j',
    (name) => {
      expect(issuesOf({ [name]: 1 })[0]?.message).not.toContain('did you mean');
    },
  );

  it('are of the object in which the field stands', () => {
    const [issue] = issuesOf({ database: { url: 'sqlite:x', name: 'x' } });
    expect(issue?.message).not.toContain('did you mean');
    const [other] = issuesOf({ database: { url: 'sqlite:x', synchronus: 'full' } });
    expect(other?.message).toContain("did you mean 'synchronous'?");
  });
});
