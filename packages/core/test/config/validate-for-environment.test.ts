import { describe, expect, it } from 'vitest';
import {
  type ConfigEnvironment,
  validateForEnvironment,
} from '../../src/config/validate-for-environment.ts';
import { SessionConfigError, SessionInputError } from '../../src/errors.ts';

const file = { backend: 'database', database: { url: 'sqlite:a.db' } } as const;
const told = (config: object, environment: ConfigEnvironment): readonly string[] =>
  validateForEnvironment(config, environment).map(({ path, severity }) => `${severity} ${path}`);

describe('validateForEnvironment', () => {
  it('has sessions in memory for an error in production', () => {
    expect(told({}, 'production')).toEqual(['error backend']);
    expect(
      told({ backend: 'database', database: { url: 'sqlite::memory:' } }, 'production'),
    ).toEqual(['error database.url']);
    expect(told({ ...file, backend: 'in_memory' }, 'production')).toEqual(['error backend']);
  });

  it('has nothing against a file with all defaults', () => {
    expect(told(file, 'production')).toEqual([]);
    expect(told({ backend: 'cache', cache: { url: 'redis://a' } }, 'production')).toEqual([]);
  });

  it('warns of risks that may be meant, errors first', () => {
    const normal = { ...file, database: { url: 'sqlite:a.db', synchronous: 'normal' } };
    expect(told(normal, 'production')).toEqual(['warning database.synchronous']);
    expect(told({ ...file, sessionTtl: 0 }, 'production')).toEqual(['warning sessionTtl']);
    expect(told({ ...file, sessionTtl: 0, sessionMaxAge: 60 }, 'production')).toEqual([]);
    expect(told({ sessionTtl: 0 }, 'production')).toEqual(['error backend', 'warning sessionTtl']);
  });

  it('is milder for staging, and silent for development, tests and what is switched off', () => {
    expect(told({}, 'staging')).toEqual(['warning backend']);
    for (const environment of ['development', 'test'] as const) {
      expect(told({ sessionTtl: 0 }, environment)).toEqual([]);
    }
    expect(told({ enabled: false }, 'production')).toEqual([]);
  });

  it('says what to do, frozen', () => {
    const issues = validateForEnvironment({}, 'production');
    expect(issues[0]?.message).toContain("use 'database'");
    expect([issues, issues[0]].map((one) => Object.isFrozen(one))).toEqual([true, true]);
  });

  it('refuses what is no configuration, and no environment', () => {
    expect(() => validateForEnvironment({ backend: 'x' as never }, 'production')).toThrow(
      SessionConfigError,
    );
    expect(() => validateForEnvironment({}, 'PRODUCTION' as never)).toThrow(SessionInputError);
    expect(() => validateForEnvironment({}, 'constructor' as never)).toThrow(/one of development/);
  });
});
