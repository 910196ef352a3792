import { describe, expect, it } from 'vitest';
import { SessionTransitionError } from '../../src/errors.ts';
import type { SessionStatus } from '../../src/session/state.ts';
import { SessionStateMachine } from '../../src/session/state-machine.ts';

const statuses: readonly SessionStatus[] = ['active', 'suspended', 'closed', 'expired'];

/** As the original has it. */
const table: Readonly<Record<SessionStatus, readonly SessionStatus[]>> = {
  active: ['suspended', 'closed', 'expired'],
  suspended: ['active', 'closed', 'expired'],
  closed: [],
  expired: [],
};

describe('SessionStateMachine', () => {
  it('has the sixteen steps of the table, and no other', () => {
    for (const from of statuses) {
      for (const to of statuses) {
        const allowed = table[from].includes(to);
        expect(SessionStateMachine.canTransition(from, to), `${from} → ${to}`).toBe(allowed);
        const validate = (): void => SessionStateMachine.validate('abc-123', from, to);
        if (allowed) expect(validate).not.toThrow();
        else {
          expect(validate).toThrow(SessionTransitionError);
          expect(validate).toThrow(`Invalid transition for session 'abc-123': '${from}' → '${to}'`);
        }
      }
    }
  });

  it('ends at closed and expired', () => {
    expect(statuses.filter(SessionStateMachine.isTerminal)).toEqual(['closed', 'expired']);
  });

  it('allows what the design says', () => {
    expect(SessionStateMachine.allowed).toEqual({
      write: ['active'],
      checkpoint: ['active', 'suspended'],
      suspend: ['active'],
      resume: ['suspended'],
      close: ['active', 'suspended'],
    });
  });

  it('cannot be changed by whoever uses it', () => {
    const { allowed } = SessionStateMachine;
    const parts: readonly object[] = [SessionStateMachine, allowed, ...Object.values(allowed)];
    expect(parts.map((part) => Object.isFrozen(part))).toEqual(parts.map(() => true));
  });
});
