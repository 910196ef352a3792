import assert from 'node:assert/strict';
import { count, messageTokens, type TokenCounter } from '../../src/projection/count-tokens.ts';
import type { ProjectedMessage } from '../../src/projection/message.ts';
import type { Projection } from '../../src/projection/projection.ts';
import { partsOf } from '../../src/projection/shown.ts';
import type { SessionTurn } from '../../src/session/turn.ts';
import { findFaults } from './rules.ts';

/** What a projection was asked for. */
export interface Asked {
  readonly maxTokens: number;
  readonly countTokens: TokenCounter;
  readonly pinned?: readonly string[];
  readonly viewer?: string;
}

/** Asserts all that a projection promises: valid, within its budget, with what has to stay, in order. */
export function checkProjection(
  turns: readonly SessionTurn[],
  projection: Projection,
  { countTokens, maxTokens, pinned = [], viewer }: Asked,
): void {
  assert.deepEqual(findFaults(projection.messages), []);
  const counted = projection.messages.reduce((sum, m) => sum + tokensIn(m, countTokens), 0);
  assert.ok(counted <= projection.tokens, `${counted} tokens, said ${projection.tokens}`);
  assert.ok(projection.tokens + projection.parts.reserve <= maxTokens, 'over the budget');

  const shown = new Set(projection.turnIds);
  assert.equal(shown.size, projection.turnIds.length, 'a turn comes twice');
  const bySeq = new Map(turns.map((turn) => [turn.turnId, turn]));
  const visible = (turn: SessionTurn): boolean =>
    viewer === undefined ||
    (turn.visibleTo?.includes(viewer) ?? !(turn.hiddenFrom?.includes(viewer) ?? false));
  for (const id of shown) assert.ok(visible(bySeq.get(id) as SessionTurn), `${id} is hidden`);
  const speaks = (turn: SessionTurn): boolean =>
    partsOf(turn).some(({ type }) => type !== 'reasoning');

  const other = turns.findIndex(({ role }) => role !== 'system');
  for (const turn of turns.slice(0, other === -1 ? turns.length : other)) {
    if (!visible(turn) || !speaks(turn)) continue;
    assert.ok(shown.has(turn.turnId), `the system prompt ${turn.turnId} is lost`);
  }
  for (const turn of turns) {
    if (pinned.includes(turn.turnId) && visible(turn) && speaks(turn)) {
      assert.ok(shown.has(turn.turnId), `the pin ${turn.turnId} is lost`);
    }
  }
  const order = projection.turnIds
    .map((id) => bySeq.get(id) as SessionTurn)
    .filter(({ role }) => role !== 'tool')
    .map(({ seq }) => seq);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
    'the order changed',
  );

  const omitted = new Set<number>();
  for (const { from, to } of projection.omitted) {
    for (let seq = from; seq <= to; seq++) omitted.add(seq);
  }
  for (const { seq, turnId } of turns) {
    assert.equal(omitted.has(seq), !shown.has(turnId), `${turnId} is neither shown nor left out`);
  }
}

function tokensIn(message: ProjectedMessage, countTokens: TokenCounter): number {
  const { content, toolCalls } = message;
  let tokens = messageTokens;
  const texts =
    typeof content === 'string' ? [content] : content.map((p) => ('text' in p ? p.text : ''));
  for (const text of texts) tokens += count(countTokens, text);
  for (const call of toolCalls ?? []) {
    const given =
      typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments);
    tokens += count(countTokens, call.name) + count(countTokens, given);
  }
  return tokens;
}
