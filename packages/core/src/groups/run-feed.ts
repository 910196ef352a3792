import type { Engine } from '../manager/engine.ts';
import { readTurns } from '../manager/read-turns.ts';
import type { JsonObject } from '../session/json.ts';
import { deepFreeze } from '../session/json.ts';
import type { TurnDraft } from '../session/parse-turn.ts';
import { readStored } from '../session/read-stored.ts';
import { writtenTurn } from '../session/read-turn.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { Committed } from '../store/port.ts';
import type { SessionHead, SessionRow, VariablesVersion } from '../store/rows.ts';
import type { AgentContext } from './agent.ts';
import type { GroupEndReason } from './run-state.ts';

/** Turns of a history that a run reads when it begins: the newest. */
const maxHistory = 10_000;

/**
 * A session's history and variables as a run knows them. Read once, then fed with what the run itself wrote; only
 * what others added in between is read.
 */
export class RunFeed {
  readonly #engine: Engine;
  readonly #onTurn: (turn: SessionTurn) => void;
  readonly session: AgentContext['session'];
  readonly turns: SessionTurn[] = [];
  #seq = 0;
  #version: VariablesVersion | null = null;
  variables: JsonObject = Object.freeze({});
  /** Why the session does not take any more turns, once a commit of the run's own has found out; null if it does. */
  ended: GroupEndReason | null = null;

  private constructor(engine: Engine, row: SessionRow, onTurn: (turn: SessionTurn) => void) {
    const { metadata, owner, sessionId } = row;
    this.#engine = engine;
    this.#onTurn = onTurn;
    this.session = deepFreeze({
      sessionId,
      ...owner,
      metadata: readStored(metadata, `the metadata of session '${sessionId}'`) as JsonObject,
    });
  }

  static async open(
    engine: Engine,
    row: SessionRow,
    onTurn: (turn: SessionTurn) => void,
  ): Promise<RunFeed> {
    const feed = new RunFeed(engine, row, onTurn);
    const from = Math.max(1, row.head.seq - maxHistory + 1);
    for await (const turn of readTurns(engine, row, from, row.head.seq, 'asc')) feed.#add(turn);
    feed.#seq = row.head.seq;
    await feed.#readVariables(row);
    return feed;
  }

  #add(turn: SessionTurn): void {
    this.turns.push(turn);
    this.#seq = turn.seq;
    this.#onTurn(turn);
  }

  /** Takes in what a commit wrote, and before it what others did meanwhile; answers the commit's own turns. */
  async absorb(result: Committed, drafts: readonly TurnDraft[]): Promise<readonly SessionTurn[]> {
    const { session } = result;
    const written = drafts.map((draft, i) =>
      writtenTurn(draft, result.turns[i] as { seq: number; at: number }),
    );
    const before = written[0]?.seq ?? session.head.seq + 1;
    if (before > this.#seq + 1) await this.#catchUp(session, before - 1);
    for (const turn of written) this.#add(turn);
    await this.#readVariables(session);
    if (session.status !== 'active') this.ended = endedBy(session);
    return written;
  }

  async #catchUp(session: SessionHead, to: number): Promise<void> {
    const row: SessionRow = { ...session, metadata: '{}' };
    for await (const turn of readTurns(this.#engine, row, this.#seq + 1, to, 'asc')) {
      this.#add(turn);
    }
  }

  async #readVariables(session: SessionHead): Promise<void> {
    const { variables: version } = session;
    const known = this.#version;
    const same =
      version?.timelineId === known?.timelineId &&
      version?.position === known?.position &&
      version?.revision === known?.revision;
    if (same) return;
    this.variables = deepFreeze(await this.#engine.variables(session)) as JsonObject;
    this.#version = version;
  }
}

/** Why a session that is not active any more ends a run. */
export function endedBy({ closedReason, status }: SessionHead): GroupEndReason {
  if (closedReason === 'turn_limit') return 'turn_limit';
  return status === 'active' ? 'error' : status;
}
