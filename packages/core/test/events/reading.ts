import type { SessionEvent, SubscriptionResetEvent } from '../../src/events/session-event.ts';
import type { SessionSubscription } from '../../src/events/subscription.ts';

export type Told = SessionEvent | SubscriptionResetEvent;

/** The next `count` events; waits for them. */
export async function take(
  subscription: SessionSubscription,
  count: number,
): Promise<readonly Told[]> {
  const events: Told[] = [];
  while (events.length < count) {
    const step = await subscription.next();
    if (step.done === true) throw new Error(`it ended after ${events.length} events`);
    events.push(step.value);
  }
  return events;
}

/** An event in short: its revision, its type, and what a turn says. */
export function short(event: Told): string {
  const said = event.type === 'turn' ? ` ${String(event.turn.content)}` : '';
  return `${event.revision} ${event.type}${said}`;
}

/** Resolves when what was set off so far has been told to the listeners of this process. */
export function told(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
