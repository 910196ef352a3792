import { basename, dirname, extname, join } from 'node:path';
import { type ConfigIssue, SessionConfigError, SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { deepFreeze } from '../session/json.ts';
import { checkOptions } from '../session/options.ts';
import { readConfigFile } from './config-file.ts';
import { type Environment, readEnvironmentLayer } from './environment-layer.ts';
import { type ConfigLayer, LaidConfig } from './layer.ts';
import { configFields, faultsOf, type SessionConfigInput } from './session-config.ts';
import { readYamlLayer } from './yaml-layer.ts';

/** What `loadSessionConfig` reads. */
export interface LoadConfigOptions {
  /** A YAML file; `application.yaml` of the current directory, if there is one, unless named. */
  readonly file?: string | undefined;
  /** Whose file is laid over it: `application.<profile>.yaml`; `LEX_PROFILE` of the environment unless named. */
  readonly profile?: string | undefined;
  /** The variables of the environment; `process.env` unless given. */
  readonly env?: Environment | undefined;
}

/**
 * The configuration that files and the environment give: the section `ai_session` of a YAML file, that of its
 * profile's file over it, `LEX_AI_SESSION__FIELD` over both. The answer has only what they give, frozen, each field
 * checked; lay code over it by spreading, and `createSessions` fills in the defaults.
 *
 * A file or a profile that is named here has to be there. Without names, a missing `application.yaml` is none, and so
 * is the missing file of a profile that `LEX_PROFILE` names.
 *
 * @throws SessionConfigError with every problem: file, line and column or the variable, the value, what would do;
 * SessionInputError for options that are none
 */
export async function loadSessionConfig(options?: LoadConfigOptions): Promise<SessionConfigInput> {
  const given = checkOptions(options, ['file', 'profile', 'env']);
  const env = parseEnvironment(given.env);
  const file = parseFile(given.file);
  const named = parseProfile(given.profile);
  const profile = named ?? profileOf(env);

  const layers = [
    await readFile(file ?? 'application.yaml', file !== undefined),
    ...(profile === undefined ? [] : [await readFile(fileOf(file, profile), named !== undefined)]),
    readEnvironmentLayer(env, configFields),
  ];
  const laid = new LaidConfig();
  for (const layer of layers) laid.lay(layer);
  const issues = [
    ...layers.flatMap((layer) => layer.issues),
    ...faultsOf(laid.config).map((fault) => laid.toIssue(fault)),
  ];
  if (issues.length > 0) throw new SessionConfigError(issues.sort(byPlace));
  return deepFreeze(laid.config) as SessionConfigInput;
}

const { compare } = new Intl.Collator('en', { numeric: true });

/** Files by name, line and column; then the environment. */
function byPlace(a: ConfigIssue, b: ConfigIssue): number {
  if (a.place === undefined || b.place === undefined) {
    return Number(a.place === undefined) - Number(b.place === undefined);
  }
  return compare(a.place, b.place);
}

async function readFile(path: string, needed: boolean): Promise<ConfigLayer> {
  const { missing, problem, text } = await readConfigFile(path);
  if (text !== undefined) return readYamlLayer(text, path, configFields);
  const message = missing && needed ? 'is not there' : problem;
  const issues: readonly ConfigIssue[] = message === undefined ? [] : [{ path, message }];
  return { fields: [], places: new Map(), issues };
}

/** `conf/app.yaml` and `production` make `conf/app.production.yaml`. */
function fileOf(file = 'application.yaml', profile: string): string {
  const extension = extname(file);
  return join(dirname(file), `${basename(file, extension)}.${profile}${extension}`);
}

function parseFile(file: unknown): string | undefined {
  if (file === undefined) return undefined;
  if (typeof file === 'string' && file !== '' && !file.includes('\0')) return file;
  throw new SessionInputError('options.file', `expected a path, got ${kindOf(file)}`);
}

/** A profile is a part of a file's name, and leads nowhere else. */
const profilePattern = /^[A-Za-z0-9_-]{1,64}$/;
const profileExpected = 'expected a profile of 1–64 of A–Z, a–z, 0–9, _ and -';

function parseProfile(profile: unknown): string | undefined {
  if (profile === undefined) return undefined;
  if (typeof profile === 'string' && profilePattern.test(profile)) return profile;
  throw new SessionInputError('options.profile', `${profileExpected}, got ${kindOf(profile)}`);
}

function profileOf({ LEX_PROFILE: profile }: Environment): string | undefined {
  if (profile === undefined || profile === '') return undefined;
  if (profilePattern.test(profile)) return profile;
  const message = `${profileExpected}; got ${kindOf(profile)}`;
  throw new SessionConfigError([{ path: 'LEX_PROFILE', message }]);
}

function parseEnvironment(env: unknown = process.env): Environment {
  if (typeof env !== 'object' || env === null || Array.isArray(env)) {
    throw new SessionInputError('options.env', `expected an object, got ${kindOf(env)}`);
  }
  return env as Environment;
}
