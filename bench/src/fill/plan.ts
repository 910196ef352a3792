import { createHash } from 'node:crypto';
import type { TurnInput } from '@lexigram/ai-session';
import { randomOf } from './random.ts';

/** A session that a fill makes. */
export interface PlannedSession {
  readonly sessionId: string;
  readonly userId: string;
  /** Which of the conversations it has its turns from. */
  readonly conversation: number;
  readonly turns: number;
}

export interface FillPlan {
  readonly sessions: readonly PlannedSession[];
  readonly turns: number;
  /** What a session has of the length of its conversation, beside one turn, so that both counts come out. */
  readonly scale: number;
  /** The same for the same plan over the same conversations, and for no other. */
  readonly fingerprint: string;
  /** The turns of a session from one place on, as they are given to `addTurns`. */
  turnsOf(session: PlannedSession, from: number, count: number): readonly TurnInput[];
}

export interface PlanOptions {
  readonly turns: number;
  readonly sessions: number;
  readonly seed: number;
  readonly conversations: readonly (readonly TurnInput[])[];
}

/** Sessions that a user has. */
const sessionsPerUser = 10;

/**
 * What is in a store of so many turns and sessions. Each session draws a conversation and has its turns: one, and as
 * many more as the conversation has, all in one proportion. One that is longer than its conversation begins it anew.
 * The same options give the same plan.
 *
 * @throws RangeError if the counts do not fit
 */
export function planFill({ conversations, seed, sessions, turns }: PlanOptions): FillPlan {
  if (!(Number.isSafeInteger(sessions) && sessions >= 1)) {
    throw new RangeError(`${sessions} sessions: expected a whole number from 1`);
  }
  if (!(Number.isSafeInteger(turns) && turns >= sessions)) {
    throw new RangeError(`${turns} turns: expected a whole number, and one for each session`);
  }
  if (conversations.length === 0 || conversations.some((each) => each.length === 0)) {
    throw new RangeError('there are no conversations to draw from, or one of them is empty');
  }
  const random = randomOf(seed);
  const users = Math.ceil(sessions / sessionsPerUser);
  const drawn = Array.from({ length: sessions }, () => ({
    sessionId: idOf(random),
    conversation: Math.floor(random() * conversations.length),
  }));
  const lengthOf = (conversation: number): number =>
    (conversations[conversation] as readonly TurnInput[]).length;
  const scale =
    (turns - sessions) / drawn.reduce((sum, { conversation }) => sum + lengthOf(conversation), 0);
  let real = 0;
  let given = 0;
  const planned = drawn.map(({ conversation, sessionId }, i): PlannedSession => {
    real += lengthOf(conversation);
    const more = Math.round(real * scale) - given;
    given += more;
    return { sessionId, userId: `user-${i % users}`, conversation, turns: more + 1 };
  });
  return {
    sessions: planned,
    turns,
    scale,
    fingerprint: fingerprintOf({ conversations, seed, sessions, turns }),
    turnsOf: ({ conversation }, from, count) => {
      const own = conversations[conversation] as readonly TurnInput[];
      return Array.from({ length: count }, (_, i) => own[(from + i) % own.length] as TurnInput);
    },
  };
}

/**
 * A plan of some of another one's sessions, evenly spread over it, and of those the ones that have about so many
 * turns: a store that is filled by it holds what a part of the other one holds.
 */
export function partOf(plan: FillPlan, sessions: number, turns: number): FillPlan {
  const step = Math.floor(plan.sessions.length / sessions);
  if (step < 1) throw new RangeError(`a plan of ${plan.sessions.length} has no ${sessions}`);
  let best: readonly PlannedSession[] = [];
  let bestTurns = Number.POSITIVE_INFINITY;
  for (let offset = 0; offset < step; offset++) {
    const part = Array.from(
      { length: sessions },
      (_, i) => plan.sessions[offset + i * step] as PlannedSession,
    );
    const sum = part.reduce((all, session) => all + session.turns, 0);
    if (Math.abs(sum - turns) >= Math.abs(bestTurns - turns)) continue;
    best = part;
    bestTurns = sum;
  }
  const fingerprint = createHash('sha256').update(`${plan.fingerprint} ${sessions} ${turns}`);
  return {
    ...plan,
    sessions: best,
    turns: bestTurns,
    fingerprint: fingerprint.digest('hex').slice(0, 16),
  };
}

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** As long and as much without order as those that the library makes. */
function idOf(random: () => number): string {
  return Array.from({ length: 22 }, () => letters[Math.floor(random() * 62)]).join('');
}

function fingerprintOf({ conversations, ...counts }: PlanOptions): string {
  const hash = createHash('sha256').update(JSON.stringify(counts));
  for (const turns of conversations) hash.update(JSON.stringify(turns));
  return hash.digest('hex').slice(0, 16);
}
