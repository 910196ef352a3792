import type { OpenStore } from '../../src/index.ts';
import { breaking } from './breaking.ts';

/** A store that keeps another text of each piece of JSON than the one it was given. */
function rewriting(change: (json: string) => string): OpenStore {
  return breaking((inner) => ({
    create: (session) =>
      inner.create({
        ...session,
        metadata: change(session.metadata),
        variables: session.variables === null ? null : change(session.variables),
        turns: session.turns.map((turn) => ({ ...turn, body: change(turn.body) })),
      }),
    commit: (id, commit) =>
      inner.commit(id, {
        ...commit,
        ...(commit.append === undefined
          ? {}
          : {
              append: {
                ...commit.append,
                turns: commit.append.turns.map((turn) => ({ ...turn, body: change(turn.body) })),
              },
            }),
        ...(commit.patch === undefined
          ? {}
          : {
              patch: {
                ...commit.patch,
                set: new Map([...commit.patch.set].map(([key, json]) => [key, change(json)])),
              },
            }),
        ...(commit.records === undefined
          ? {}
          : {
              records: commit.records.map((write) =>
                'delete' in write || write.kind !== 'metadata'
                  ? write
                  : { ...write, value: change(write.value) },
              ),
            }),
      }),
  }));
}

/** The same value with each part changed, outermost last. */
function deeply(value: unknown, change: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return change(value.map((item) => deeply(item, change)));
  if (typeof value !== 'object' || value === null) return change(value);
  const entries = Object.entries(value).map(([key, item]) => [key, deeply(item, change)] as const);
  return change(Object.fromEntries(entries));
}

function parts(change: (part: unknown) => unknown): OpenStore {
  return rewriting((json) => JSON.stringify(deeply(JSON.parse(json), change)));
}

/** Stores that give back something else than they were given. */

export const normalisesText: OpenStore = rewriting((json) => json.normalize('NFC'));

export const keepsLatinOnly: OpenStore = rewriting((json) =>
  Buffer.from(json, 'latin1').toString('latin1'),
);

export const cutsText: OpenStore = parts((part) =>
  typeof part === 'string' ? part.slice(0, 10_000) : part,
);

export const trimsText: OpenStore = parts((part) =>
  typeof part === 'string' ? part.trim() : part,
);

export const sortsKeys: OpenStore = parts((part) => {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
});

/** Copies members one by one, so that __proto__ sets the prototype. */
export const losesProto: OpenStore = parts((part) => {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(part)) copy[key] = value;
  return copy;
});

export const roundsNumbers: OpenStore = parts((part) =>
  typeof part === 'number' ? Number(part.toPrecision(14)) : part,
);

/** Takes what looks like one for a reference to a secret. */
export const revivesObjects: OpenStore = parts((part) =>
  typeof part === 'object' && part !== null && 'lc' in part ? 'the secret' : part,
);

export const dropsNulls: OpenStore = parts((part) => {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null));
});

export const dropsSignatures: OpenStore = parts((part) => {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  const { signature: _, ...rest } = part as { readonly signature?: unknown };
  return rest;
});

/** Tidies names up: quotes go from labels, capitals from reasons. */
export const tidiesNames: OpenStore = breaking((inner) => ({
  commit: (id, commit) => {
    const { checkpoint, status } = commit;
    return inner.commit(id, {
      ...commit,
      ...(checkpoint === undefined
        ? {}
        : {
            checkpoint: {
              ...checkpoint,
              label: checkpoint.label?.replaceAll(/["'\\%]/g, '') ?? null,
            },
          }),
      ...(status?.reason === undefined
        ? {}
        : { status: { ...status, reason: status.reason.toLowerCase() } }),
    });
  },
}));
