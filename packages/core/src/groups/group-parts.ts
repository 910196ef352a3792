import type { Engine } from '../manager/engine.ts';
import type { ToolCall } from '../session/turn.ts';
import type { GroupView } from './group-view.ts';
import type { RoleIsolation } from './role-isolation.ts';
import type { Seat } from './seat.ts';
import type { StopCondition } from './stop-condition.ts';
import type { TurnManager } from './turn-manager.ts';

/** What is about to happen: an agent speaks, or one of its tools is called. */
export interface Intention {
  readonly agent: string;
  readonly role: string | null;
  readonly step: number;
  /** Null if the agent is about to speak. */
  readonly toolCall: ToolCall | null;
  readonly view: GroupView;
}

/** Whether a person is asked first: true, or the question. */
export type AskRule = (intention: Intention) => boolean | string | Promise<boolean | string>;

/** A group as it is when a run begins. */
export interface GroupParts {
  readonly engine: Engine;
  readonly seats: ReadonlyMap<string, Seat>;
  readonly turnManager: TurnManager;
  readonly isolation: RoleIsolation;
  readonly stopWhen: StopCondition;
  readonly askBefore: AskRule | null;
  readonly leaseMs: number;
  /** Who this process is to others. */
  readonly holder: string;
}
