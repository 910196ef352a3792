import type { StandardSchemaV1 } from '@standard-schema/spec';
import { SessionInputError } from '../errors.ts';
import type { Engine } from './engine.ts';

/**
 * Checks a patch of the variables against the caller's schema. A patch names some keys only, so that what a
 * schema says of a missing one does not count.
 */
export async function checkVariables(engine: Engine, patch: unknown): Promise<void> {
  await checkPatch(engine.schemas.variables, patch, 'variables');
}

export async function checkMetadataPatch(engine: Engine, patch: unknown): Promise<void> {
  await checkPatch(engine.schemas.metadata, patch, 'metadata');
}

async function checkPatch(
  schema: StandardSchemaV1 | undefined,
  patch: unknown,
  path: string,
): Promise<void> {
  if (schema === undefined) return;
  const { issues } = await schema['~standard'].validate(patch ?? {});
  const given = new Set(Object.keys(patch ?? {}));
  const wrong = issues?.find((issue) => {
    const first = issue.path?.[0];
    const key = typeof first === 'object' ? first.key : first;
    return key === undefined || given.has(String(key));
  });
  if (wrong !== undefined) throw issueError(wrong, path);
}

/** Checks all of a session's metadata or variables against the caller's schema. */
export async function checkWhole(
  schema: StandardSchemaV1 | undefined,
  value: unknown,
  path: string,
): Promise<unknown> {
  if (schema === undefined) return value;
  const result = await schema['~standard'].validate(value ?? {});
  const wrong = result.issues?.[0];
  if (wrong !== undefined) throw issueError(wrong, path);
  return (result as { value: unknown }).value;
}

function issueError(issue: StandardSchemaV1.Issue, path: string): SessionInputError {
  const keys = issue.path?.map((part) => String(typeof part === 'object' ? part.key : part)) ?? [];
  return new SessionInputError([path, ...keys].join('.'), issue.message);
}
