import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import {
  parseSessionConfig,
  type SessionConfig,
  type SessionConfigInput,
} from './session-config.ts';

const environments = ['development', 'test', 'staging', 'production'] as const;

/** Where a configuration is to serve. */
export type ConfigEnvironment = (typeof environments)[number];

/** Something that the configuration allows, and that does not fit where it is to serve. */
export interface EnvironmentIssue {
  /** An error loses data and has to be put right; a warning is a risk that somebody may have chosen. */
  readonly severity: 'error' | 'warning';
  /** The field, like `database.synchronous`. */
  readonly path: string;
  readonly message: string;
}

/**
 * What of a configuration does not fit an environment, errors first; an empty list if all does. For production a store
 * that ends with its process is an error; for staging a warning. Development and tests may have anything.
 *
 * @throws SessionConfigError if it is no configuration; SessionInputError for an environment that is none of the four
 */
export function validateForEnvironment(
  config: SessionConfigInput,
  environment: ConfigEnvironment,
): readonly EnvironmentIssue[] {
  if (!environments.includes(environment)) {
    const expected = `expected one of ${environments.join(', ')}`;
    throw new SessionInputError('environment', `${expected}, got ${kindOf(environment)}`);
  }
  const checked = parseSessionConfig(config);
  const isServing = environment === 'production' || environment === 'staging';
  if (!checked.enabled || !isServing) return Object.freeze([]);
  const lost = environment === 'production' ? 'error' : 'warning';
  const issues = [
    ...lostWithProcess(checked).map((issue) => ({ severity: lost, ...issue }) as const),
    ...risks(checked).map((issue) => ({ severity: 'warning', ...issue }) as const),
  ];
  return Object.freeze(issues.map((issue) => Object.freeze(issue)));
}

type Risk = Omit<EnvironmentIssue, 'severity'>;

function lostWithProcess({ backend, database }: SessionConfig): readonly Risk[] {
  if (backend === 'in_memory') {
    return [
      {
        path: 'backend',
        message: "'in_memory' loses every session when the process ends; use 'database' or 'cache'",
      },
    ];
  }
  if (backend !== 'database' || database?.url !== 'sqlite::memory:') return [];
  const message =
    "'sqlite::memory:' loses every session when the process ends; name a file, like 'sqlite:sessions.db'";
  return [{ path: 'database.url', message }];
}

function risks(config: SessionConfig): readonly Risk[] {
  const risks: Risk[] = [];
  const { backend, database, sessionMaxAge, sessionTtl } = config;
  if (backend === 'database' && database?.synchronous === 'normal') {
    const message = "'normal' may lose the last turns at a power cut; 'full' loses none";
    risks.push({ path: 'database.synchronous', message });
  }
  if (sessionTtl === 0 && sessionMaxAge === null) {
    const message =
      'is 0, so that no session ever expires, and users run into maxSessionsPerUser; set it, or sessionMaxAge';
    risks.push({ path: 'sessionTtl', message });
  }
  return risks;
}
