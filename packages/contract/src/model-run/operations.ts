import type { Call } from './calls/call.ts';
import { pick } from './calls/call.ts';
import type { Command, CommandKind, RepeatCommand } from './command.ts';
import type { Trial } from './context.ts';
import { conflict, refuse } from './model/refusal.ts';
import type { ModelSession } from './model/session.ts';

const keptMs = 24 * 3_600_000;

/** A call that is made under an operation id. */
export interface Asked {
  readonly kind: CommandKind;
  readonly operationId: string;
}

/** A call that was done under an operation id and changed something. */
interface Done extends Asked {
  readonly call: Call;
  readonly answer: unknown;
  readonly at: number;
  /** The session on which it was done, of a fork the parent. */
  readonly session: ModelSession;
  /** The session that it made. */
  readonly made: ModelSession | null;
}

/** The operations of a run: which were done, and what doing them again must answer. */
export class Operations {
  readonly #trial: Trial;
  readonly #done: Done[] = [];
  #refused: readonly (Asked & { readonly call: Call })[] = [];
  #ids = 0;

  constructor(trial: Trial) {
    this.#trial = trial;
  }

  /** Under which id a command is to be done, if under any. */
  ask(command: Command): Asked | undefined {
    if (!('operation' in command) || !command.operation) return undefined;
    this.#ids++;
    return { kind: command.do, operationId: `operation-${this.#ids}` };
  }

  /** Another number whenever something of the model changed. */
  fingerprint(): number {
    return this.#trial.model.sessions.reduce(
      (sum, { deleted, revision }) => sum + 1 + revision + (deleted ? 1 : 0),
      0,
    );
  }

  done({ kind, operationId }: Asked, call: Call, answer: unknown): void {
    const { now, sessions } = this.#trial.model;
    const made = kind === 'create' || kind === 'fork' ? (sessions.at(-1) as ModelSession) : null;
    const session = call.session ?? made;
    this.#refused = this.#refused.filter((one) => one.operationId !== operationId);
    if (session === null) return;
    this.#done.push({ kind, call, operationId, answer, at: now, session, made });
  }

  refused(asked: Asked, call: Call): void {
    this.#refused = [...this.#refused, { ...asked, call }];
  }

  /** A call under an id that was used; null if there is none, or if the id may be forgotten. */
  callOf({ n, request }: RepeatCommand): { readonly call: Call; readonly asked?: Asked } | null {
    if (request === 'refused') return this.#onceMore(n);
    const done = pick(this.#done, n);
    if (done === null || this.#trial.model.now - done.at >= keptMs) return null;
    if (done.made !== null && (done.made.deleted || done.session.deleted)) return null;
    return { call: request === 'another' ? this.#another(done) : again(done) };
  }

  /** What was refused is judged anew: nothing was done, so there is nothing to remember. */
  #onceMore(n: number): { readonly call: Call; readonly asked: Asked } | null {
    const refused = pick(this.#refused, n);
    if (refused === null) return null;
    const { call, ...asked } = refused;
    return { call: { ...call, title: `once more, as it was refused: ${call.title}` }, asked };
  }

  /** Something else under the same id, which is the session's own: another session may use it too. */
  #another({ kind, operationId, session }: Done): Call {
    const { names } = this.#trial;
    const services = () => this.#trial.sessions;
    return {
      title: `${session.label}: another request than ${kind} under '${operationId}'`,
      expect: () => (session.deleted ? refuse('notFound') : conflict('operation')),
      invoke: () => {
        if (kind === 'create') {
          const sessionId = typeof session.id === 'string' ? session.id : undefined;
          const metadata = { another: 1 };
          return services().manager.create({ ...session.owner, sessionId, operationId, metadata });
        }
        const id = names.id(session.id);
        if (kind === 'fork') return services().branches.fork(id, 'another', { operationId });
        return services().manager.setMetadata(id, { another: 1 }, { operationId });
      },
    };
  }
}

/** The same under the same id: answered as before, whatever happened since. */
function again({ answer, call, kind, operationId, session }: Done): Call {
  const onCheckpoint = kind === 'restore' || kind === 'deleteCheckpoint';
  return {
    title: `again under '${operationId}': ${call.title}`,
    expect: () => {
      if (session.deleted && kind !== 'delete') {
        refuse(onCheckpoint ? 'checkpointNotFound' : 'notFound');
      }
      return answer;
    },
    invoke: () => call.invoke(operationId),
  };
}
