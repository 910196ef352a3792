import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTurn, type TurnDraft } from '../../src/session/parse-turn.ts';
import { readTurn, sameContent, writtenTurn } from '../../src/session/read-turn.ts';
import { jsonValue, plainObject, plainValue, text } from '../json-values.ts';
import { runs } from '../scale.ts';

const printable = text.map((value) => `x${value.replaceAll(/\p{Cc}/gu, '')}`);
const name = printable.map((value) => `${value}x`);
const tokens = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 2 ** 31 });
const some = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });

const part = fc.oneof(
  fc.record({ type: fc.constant('text'), text, extra: some(plainObject) }),
  fc.record({ type: fc.constant('reasoning'), text, signature: some(text) }),
  fc.record({ type: fc.constant('file'), mediaType: printable, url: text }),
  fc.record({ type: fc.constant('file'), mediaType: printable, data: text, extra: plainObject }),
  fc.record({ type: fc.constant('data'), name: printable, json: plainValue }),
);

/** Any turn that a caller may give, its fields in any order. */
const turn = fc
  .record({
    turnId: some(name),
    role: fc.constantFrom('system', 'user', 'assistant', 'tool'),
    content: fc.oneof(text, fc.array(part, { maxLength: 3 })),
    agent: some(name),
    name: some(printable),
    toolCalls: some(
      fc.array(fc.record({ id: printable, name: printable, arguments: jsonValue }), {
        maxLength: 3,
      }),
    ),
    toolCallId: some(printable),
    isError: some(fc.boolean()),
    state: some(fc.constantFrom('complete', 'aborted')),
    model: some(printable),
    provider: some(printable),
    usage: some(fc.record({ inputTokens: some(tokens), outputTokens: some(fc.nat()) })),
    cost: some(fc.double({ min: 0, max: 1_000_000, noNaN: true })),
    visibleTo: some(fc.array(name, { maxLength: 3 })),
    hiddenFrom: some(fc.array(name, { maxLength: 3 })),
    metadata: some(plainObject),
    timestamp: some(
      fc
        .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
        .map((date) => date.toISOString()),
    ),
  })
  .chain((fields) =>
    fc
      .shuffledSubarray(Object.entries(fields), { minLength: Object.keys(fields).length })
      .map((entries) => Object.fromEntries(entries) as Record<string, unknown>),
  );

const at = 1_700_000_000_000;
const row = (draft: TurnDraft): Parameters<typeof readTurn>[0] => ({
  timelineId: 's.1',
  seq: 7,
  turnId: draft.turnId,
  body: draft.body,
  at: draft.at ?? at,
  revision: 1,
  tokens: draft.tokens,
  cost: draft.cost,
  origin: null,
  checkpoint: null,
});

function isFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isFrozen);
}

describe('parseTurn', () => {
  it('stores what it answers, and answers what was given', () => {
    fc.assert(
      fc.property(turn, (given) => {
        const draft = parseTurn(given);
        const answered = writtenTurn(draft, { seq: 7, at: draft.at ?? at });
        const stored = readTurn(row(draft));
        deepStrictEqual(stored, answered);
        expect(isFrozen(answered) && isFrozen(stored)).toBe(true);

        const { cost, timestamp, usage, ...rest } = given;
        const expected = JSON.parse(JSON.stringify(rest)) as object;
        deepStrictEqual({ ...answered, ...expected }, { ...answered });
        expect(answered.cost).toBe(
          cost === undefined ? undefined : Math.round((cost as number) * 1e9) / 1e9,
        );
        if (timestamp !== undefined) expect(answered.timestamp).toBe(timestamp);
        if (usage !== undefined)
          deepStrictEqual({ ...answered.usage, ...usageOf(usage) }, { ...answered.usage });
      }),
      runs(500),
    );
  });

  const usageOf = (usage: unknown): object => {
    const { inputTokens = 0, outputTokens = 0, ...rest } = usage as Record<string, number>;
    return {
      ...(JSON.parse(JSON.stringify(usage)) as object),
      totalTokens: rest['totalTokens'] ?? inputTokens + outputTokens,
    };
  };

  it('takes its own answer for the same turn', () => {
    fc.assert(
      fc.property(turn, (given) => {
        const first = parseTurn(given);
        const { seq: _, ...answered } = writtenTurn(first, { seq: 7, at });
        const again = parseTurn(JSON.parse(JSON.stringify(answered)));
        expect(again.body).toBe(first.body);
        expect([again.turnId, again.tokens, again.cost]).toEqual([
          first.turnId,
          first.tokens,
          first.cost,
        ]);
        expect(sameContent(row(first), again)).toBe(true);
      }),
      runs(500),
    );
  });

  it('gives each turn without an id a new one', () => {
    const drafts = Array.from({ length: 1_000 }, () => parseTurn({ role: 'user', content: '' }));
    expect(new Set(drafts.map(({ turnId }) => turnId)).size).toBe(1_000);
    expect(drafts.some(({ chosen }) => chosen)).toBe(false);
  });

  it('knows the same content whatever the order of keys in it', () => {
    const make = (json: object): TurnDraft =>
      parseTurn({ role: 'user', content: [{ type: 'data', name: 'd', json }] });
    const stored = row(make({ a: 1, b: { c: 2, d: 3 } }));
    expect(sameContent(stored, make({ b: { d: 3, c: 2 }, a: 1 }))).toBe(true);
    expect(sameContent(stored, make({ b: { d: 3, c: 2 }, a: 2 }))).toBe(false);
  });
});
