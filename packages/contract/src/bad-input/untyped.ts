import type {
  BranchManager,
  CheckpointManager,
  SessionAnalytics,
  SessionEvents,
  SessionManager,
  SessionStore,
} from '@lexigram/ai-session';

/** A service as plain JavaScript sees it: anything may be given for any argument. */
type Untyped<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends (...given: never[]) => infer Answer
    ? (...given: unknown[]) => Answer
    : Service[Name];
};

/** What `as(owner)` gives, and `createSessions` too. */
export interface UntypedServices {
  readonly manager: Untyped<SessionManager>;
  readonly checkpoints: Untyped<CheckpointManager>;
  readonly branches: Untyped<BranchManager>;
  readonly analytics: Untyped<SessionAnalytics>;
  readonly events: Untyped<SessionEvents>;
}

export interface UntypedSessions extends UntypedServices {
  readonly store: SessionStore;
  as(owner?: unknown): UntypedServices;
}

/** All that an async iterable gives. */
export async function readAll<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
