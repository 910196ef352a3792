import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { setOwn } from '../session/json.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import { checkMetadata, parseMetadataPatch } from '../session/parse-patch.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { SessionRow } from '../store/rows.ts';
import type { Engine, OperationOptions } from './engine.ts';
import { refusalError } from './refusal-error.ts';
import { checkMetadataPatch } from './schemas.ts';

/** Writers of one session's metadata that lose a race try again, this often. */
const attempts = 64;

/** Patches the record that holds the metadata; of writers at once each patch is applied, one after another. */
export async function setMetadata(
  engine: Engine,
  sessionId: string,
  patch: unknown,
  options:
    | (OperationOptions & { readonly unset?: unknown; readonly expectedRevision?: unknown })
    | undefined,
): Promise<SessionRow> {
  const given = checkOptions(options, ['unset', 'expectedRevision', 'operationId']);
  if (patch === undefined || patch === null) {
    throw new SessionInputError('metadata', `expected an object, got ${kindOf(patch)}`);
  }
  const { set, unset } = parseMetadataPatch(patch, given.unset);
  const revision = parseCount(given.expectedRevision, 'expectedRevision');
  await checkMetadataPatch(engine, { set, unset });
  const operation = engine.operation(given, 'setMetadata', [...set], unset, revision);
  const before = await engine.recall(sessionId, operation);
  if (before !== null) return { ...before.session, metadata: before.metadata ?? '{}' };

  for (let attempt = 1; ; attempt++) {
    await engine.session(sessionId);
    const record = await engine.store.record(sessionId, 'metadata', '');
    const merged: Record<string, unknown> = JSON.parse(record?.value ?? '{}');
    for (const [key, value] of set) setOwn(merged, key, JSON.parse(value) as unknown);
    for (const key of unset) delete merged[key];
    const value = checkMetadata(merged);
    const result = await engine.try(sessionId, {
      guards: {
        status: SessionStateMachine.allowed.write,
        revision,
        records: [{ kind: 'metadata', key: '', version: record?.version ?? null }],
      },
      records: [{ kind: 'metadata', key: '', value }],
      event: { type: 'metadata' },
      expiry: engine.expiry,
      ...(operation === undefined ? {} : { operation }),
    });
    if (result.refused === undefined) return { ...result.session, metadata: value };
    const raced = result.refused === 'expected' && result.what === 'record';
    if (!raced || attempt === attempts) throw refusalError(sessionId, result, 'active');
  }
}
