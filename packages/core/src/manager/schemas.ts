import type { StandardSchemaV1 } from '@standard-schema/spec';
import { SessionInputError } from '../errors.ts';
import { setOwn } from '../session/json.ts';
import type { ParsedPatch } from '../session/parse-patch.ts';
import type { Engine } from './engine.ts';

/**
 * Checks a patch of the variables against the caller's schema. A patch names some keys only, so that what a
 * schema says of a missing one does not count.
 */
export async function checkVariables(engine: Engine, patch: ParsedPatch): Promise<void> {
  await checkPatch(engine.schemas.variables, patch, 'variables');
}

export async function checkMetadataPatch(engine: Engine, patch: ParsedPatch): Promise<void> {
  await checkPatch(engine.schemas.metadata, patch, 'metadata');
}

async function checkPatch(
  schema: StandardSchemaV1 | undefined,
  { set }: ParsedPatch,
  path: string,
): Promise<void> {
  if (schema === undefined || set.size === 0) return;
  const patch: Record<string, unknown> = {};
  for (const [key, value] of set) setOwn(patch, key, JSON.parse(value) as unknown);
  const { issues } = await schema['~standard'].validate(patch);
  const wrong = issues?.find((issue) => {
    const first = issue.path?.[0];
    const key = typeof first === 'object' ? first.key : first;
    return key === undefined || set.has(String(key));
  });
  if (wrong !== undefined) throw issueError(wrong, path);
}

/** Checks all of a session's metadata or variables against the caller's schema, which may change them. */
export async function checkWhole(
  schema: StandardSchemaV1 | undefined,
  json: string,
  path: string,
): Promise<unknown> {
  const value: unknown = JSON.parse(json);
  if (schema === undefined) return value;
  const result = await schema['~standard'].validate(value);
  const wrong = result.issues?.[0];
  if (wrong !== undefined) throw issueError(wrong, path);
  return (result as { value: unknown }).value;
}

function issueError(issue: StandardSchemaV1.Issue, path: string): SessionInputError {
  const keys = issue.path?.map((part) => String(typeof part === 'object' ? part.key : part)) ?? [];
  return new SessionInputError([path, ...keys].join('.'), issue.message);
}
