import {
  createSessions,
  parseSessionConfig,
  type SessionConfigInput,
  type SessionStore,
  type Sessions,
} from '@lexigram/ai-session';
import type { OpenedStore, OpenStore } from '../law.ts';
import type { Call } from './calls/call.ts';
import { sessionCall } from './calls/calls.ts';
import { createCall } from './calls/life-calls.ts';
import { listCall } from './calls/read-calls.ts';
import { checkSessions } from './check-sessions.ts';
import type { AdvanceCommand, Command, CommandKind, SessionCommand } from './command.ts';
import type { Trial } from './context.ts';
import type { Distribution } from './distribution.ts';
import { PlainModel } from './model/session.ts';
import { Names } from './names.ts';
import { type Asked, Operations } from './operations.ts';
import { codeOf, disagreement, outcomeOf, outcomeOfAsync } from './outcome.ts';

/** How many commands lie between two comparisons of everything. */
const checkEvery = 6;

/** One run: a store and the model side by side, given the same commands. */
export class ModelTrial implements Trial {
  readonly model: PlainModel;
  readonly names: Names = new Names();
  readonly #operations: Operations = new Operations(this);
  readonly #config: SessionConfigInput;
  readonly #distribution: Distribution;
  readonly #steps: string[] = [];
  #opened: OpenedStore | undefined;
  #store: SessionStore | undefined;
  #sessions: Sessions | undefined;
  readonly #ids = { session: 0, turn: 0 };

  constructor(config: SessionConfigInput, distribution: Distribution) {
    this.#config = config;
    this.#distribution = distribution;
    this.model = new PlainModel(parseSessionConfig(config), Date.UTC(2026, 2, 1, 9, 30));
  }

  /** The services over the store as it is open now. */
  get sessions(): Sessions {
    if (this.#sessions === undefined) throw new Error('the store is not open');
    return this.#sessions;
  }

  /** What was done so far, a line each. */
  get steps(): readonly string[] {
    return this.#steps;
  }

  /** An id that no caller chose before; every other one differs from one before by its case only. */
  newChosenId(of: 'session' | 'turn'): string {
    this.#ids[of]++;
    const id = `${of}-${Math.ceil(this.#ids[of] / 2)}`;
    return this.#ids[of] % 2 === 0 ? id.toUpperCase() : id;
  }

  /** @throws an Error that says at which step the store and the model disagree, and about what */
  async run(open: OpenModelStore, commands: readonly Command[]): Promise<void> {
    this.#opened = await open({ clock: () => this.model.now, config: this.#config });
    try {
      await this.#serve(this.#opened.store);
      await this.#step({ ...firstCommand });
      for (const [i, command] of commands.entries()) {
        await this.#step(command);
        if (i % checkEvery === checkEvery - 1) await checkSessions(this);
      }
      await checkSessions(this);
      this.#distribution.ran(commands.length);
    } finally {
      await this.#opened.dispose();
    }
  }

  async #serve(store: SessionStore): Promise<void> {
    const services = this.#opened?.services;
    this.#store = store;
    this.#sessions = await (services === undefined
      ? createSessions(this.#config, { store })
      : services(this.#config, store));
  }

  async #step(command: Command): Promise<unknown> {
    switch (command.do) {
      case 'advance':
        return this.#advance(command);
      case 'reopen':
        return this.#reopen();
      case 'create':
        return this.#compare(command.do, createCall(this, command), this.#operations.ask(command));
      case 'list':
        return this.#compare(command.do, listCall(this, command));
      case 'repeat': {
        const used = this.#operations.callOf(command);
        return this.#compare(command.do, used?.call ?? null, used?.asked);
      }
      default:
        return this.#several(command);
    }
  }

  /** Once, or as often as it says, until it is refused. */
  async #several(command: SessionCommand): Promise<void> {
    const times = command.do === 'edit' ? command.times : 1;
    for (let left = times; left > 0; left--) {
      const call = sessionCall(this, command);
      const done = await this.#compare(command.do, call, this.#operations.ask(command));
      if (!done) return;
    }
  }

  /** Answers whether both did it; false if both refused, or if there was nothing to do. */
  async #compare(kind: CommandKind, call: Call | null, asked?: Asked): Promise<boolean> {
    if (call === null) return false;
    this.#steps.push(asked === undefined ? call.title : `${call.title}, as ${asked.operationId}`);
    const before = this.#operations.fingerprint();
    const expected = outcomeOf(call.expect);
    const actual = await outcomeOfAsync(() => call.invoke(asked?.operationId));
    const found = disagreement(this.names, expected, actual);
    if (found !== null) throw new Error(found);
    if ('error' in actual) {
      this.#distribution.refused(kind, codeOf(actual.error));
      if (asked !== undefined) this.#operations.refused(asked, call);
      return false;
    }
    this.#distribution.succeeded(kind);
    const changed = before !== this.#operations.fingerprint();
    if (asked !== undefined && changed) this.#operations.done(asked, call, actual.answer);
    return true;
  }

  #advance(command: AdvanceCommand): void {
    const { model } = this;
    const ends = 'n' in command ? (model.sessions[command.n]?.expiresAt ?? null) : null;
    const to = 'n' in command ? (ends ?? 0) - command.before : model.now + command.ms;
    if (to <= model.now) return;
    this.#steps.push(`the clock goes on by ${to - model.now} ms`);
    model.now = to;
    this.#distribution.succeeded(command.do);
  }

  async #reopen(): Promise<void> {
    const reopen = this.#opened?.reopen;
    if (reopen === undefined) return;
    this.#steps.push('the store is closed and opened again');
    await this.#store?.close();
    await this.#serve(await reopen());
    this.#distribution.succeeded('reopen');
  }
}

/** Opens an empty store for one run; `config` is for stores that are served by services of their own. */
export type OpenModelStore = (
  options: Parameters<OpenStore>[0] & { readonly config: SessionConfigInput },
) => Promise<OpenedStore>;

/** Each run begins with a session, so that no command is lost on nothing. */
const firstCommand: Command = {
  do: 'create',
  owner: 0,
  id: 'generated',
  n: 0,
  scoped: false,
  prompt: undefined,
  metadata: { a: 1 },
  variables: { a: 1 },
  operation: false,
};
