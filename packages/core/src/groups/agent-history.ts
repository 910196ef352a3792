import type { ContentPart, SessionTurn, ToolCall } from '../session/turn.ts';
import type { GroupMember } from './agent.ts';

/** Who looks: an agent and its role. */
export type Viewer = Pick<GroupMember, 'name' | 'role'>;

/** What decides what is seen: a RoleIsolation. */
interface Isolation {
  readonly showsToolCalls: boolean;
  allows(turn: SessionTurn, viewer: Viewer, agents: readonly Viewer[]): boolean;
}

/** A turn that calls tools, as it is shown, and which of its calls have no result yet. */
interface Calling {
  /** Where it stands, and how many results stand behind it. */
  at: number;
  results: number;
  readonly open: Set<string>;
}

/**
 * What one agent sees of a history, kept up to date turn by turn: nothing is read or judged anew for a step.
 */
export class AgentHistory {
  readonly #isolation: Isolation;
  readonly #viewer: Viewer;
  readonly #agents: readonly Viewer[];
  readonly #turns: SessionTurn[] = [];
  readonly #calling: Calling[] = [];
  /** The newest call of an id that waits for its result. */
  readonly #waiting = new Map<string, Calling>();

  constructor(isolation: Isolation, viewer: Viewer, agents: readonly Viewer[]) {
    this.#isolation = isolation;
    this.#viewer = viewer;
    this.#agents = agents;
  }

  add(turn: SessionTurn): void {
    const seen = viewOfTurn(this.#isolation, turn, this.#viewer, this.#agents);
    if (seen === null) return;
    if (seen.role === 'tool') {
      this.#addResult(seen);
      return;
    }
    this.#turns.push(seen);
    if (seen.toolCalls === undefined || seen.toolCalls.length === 0) return;
    const open = new Set(seen.toolCalls.map(({ id }) => id));
    const calling: Calling = { at: this.#turns.length - 1, results: 0, open };
    this.#calling.push(calling);
    for (const id of open) this.#waiting.set(id, calling);
  }

  /** A result goes behind its call, wherever the history has gone meanwhile; without a call it is left out. */
  #addResult(turn: SessionTurn): void {
    const calling = this.#waiting.get(turn.toolCallId ?? '');
    if (calling === undefined) return;
    this.#waiting.delete(turn.toolCallId ?? '');
    calling.open.delete(turn.toolCallId ?? '');
    calling.results += 1;
    const at = calling.at + calling.results;
    this.#turns.splice(at, 0, turn);
    for (const later of this.#calling) if (later.at >= at) later.at += 1;
    if (calling.open.size === 0) this.#calling.splice(this.#calling.indexOf(calling), 1);
  }

  /** The turns as a provider takes them, frozen. */
  shown(): readonly SessionTurn[] {
    const turns: (SessionTurn | null)[] = this.#turns.slice();
    for (const { at, open } of this.#calling) {
      turns[at] = withCalls(this.#turns[at] as SessionTurn, ({ id }) => !open.has(id));
    }
    if (this.#calling.length === 0) return Object.freeze(turns as SessionTurn[]);
    return Object.freeze(turns.filter((turn) => turn !== null));
  }
}

/** A turn as an agent sees it, on its own; null if it sees nothing of it. */
export function viewOfTurn(
  isolation: Isolation,
  turn: SessionTurn,
  viewer: Viewer,
  agents: readonly Viewer[],
): SessionTurn | null {
  if (!isolation.allows(turn, viewer, agents)) return null;
  const foreign = turn.agent !== undefined && turn.agent !== viewer.name;
  return foreign && !isolation.showsToolCalls ? withoutWork(turn) : turn;
}

/** What another agent said, without its calls, their results and its reasoning. */
function withoutWork(turn: SessionTurn): SessionTurn | null {
  if (turn.role === 'tool') return null;
  const { content } = turn;
  if (typeof content !== 'string' && content.some(isReasoning)) {
    const said = Object.freeze(content.filter((part) => !isReasoning(part)));
    return withCalls(Object.freeze({ ...turn, content: said }), () => false);
  }
  return turn.toolCalls === undefined ? turn : withCalls(turn, () => false);
}

function isReasoning({ type }: ContentPart): boolean {
  return type === 'reasoning';
}

/** A turn with some of its tool calls; null if nothing is left of it. */
function withCalls(turn: SessionTurn, keeps: (call: ToolCall) => boolean): SessionTurn | null {
  const { toolCalls, ...rest } = turn;
  const kept = toolCalls?.filter(keeps) ?? [];
  if (kept.length > 0) return Object.freeze({ ...turn, toolCalls: Object.freeze(kept) });
  return turn.content.length === 0 ? null : Object.freeze(rest);
}
