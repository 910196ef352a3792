import { SessionInputError } from '../errors.ts';
import { kindOf } from './ids.ts';
import { checkText } from './json.ts';
import { checkOptions } from './options.ts';
import type { SessionPosition } from './state.ts';

/** A head as `addTurn` answered it. @throws SessionInputError */
export function parseHead(value: unknown): SessionPosition | undefined {
  if (value === undefined) return undefined;
  const head = checkOptions(value, ['timelineId', 'seq', 'turnId'], 'expectedHead');
  const { seq, timelineId, turnId } = head;
  if (typeof timelineId !== 'string') {
    throw new SessionInputError(
      'expectedHead.timelineId',
      `expected a string, got ${kindOf(timelineId)}`,
    );
  }
  if (turnId !== null && typeof turnId !== 'string') {
    throw new SessionInputError(
      'expectedHead.turnId',
      `expected a string or null, got ${kindOf(turnId)}`,
    );
  }
  if (seq === undefined) throw new SessionInputError('expectedHead.seq', 'is missing');
  checkText(timelineId, 'expectedHead.timelineId');
  if (turnId !== null) checkText(turnId, 'expectedHead.turnId');
  return { timelineId, seq: parseCount(seq, 'expectedHead.seq') as number, turnId };
}

/** A whole number from 0 up, or undefined. @throws SessionInputError */
export function parseCount(
  value: unknown,
  path: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) {
    throw new SessionInputError(
      path,
      `expected a whole number from 0 to ${max}, got ${kindOf(value)}`,
    );
  }
  return value as number;
}
