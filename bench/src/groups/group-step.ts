import type { GroupStream, Sessions } from '@lexigram/ai-session';
import { plainTurn } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { alternate, median, microseconds, ratioOf } from '../rounds.ts';
import { newSession, noCaps, openSessions } from '../sessions.ts';

/** What a step of a group costs beside the turn that it adds. */
export const groupStep: Group = {
  name: 'group-step',
  about: 'a step of a group of four scripted agents, beside adding the same turn alone',
  durability: 'SQLite, WAL, synchronous=NORMAL and FULL',
  measure,
};

/** Steps of one run before another one begins; beginning reads the history and is not a step. */
const stepsOfRun = 10;

/** Runs on one session, or on new ones, step by step. */
class Speaking {
  readonly #sessions: Sessions;
  readonly #session: () => Promise<string>;
  #stream: GroupStream | undefined;
  #left = 0;

  constructor(sessions: Sessions, session: () => Promise<string>) {
    this.#sessions = sessions;
    this.#session = session;
  }

  /** Does a step and answers the microseconds that it took. */
  async step(): Promise<number> {
    if (this.#left === 0) await this.#begin();
    this.#left -= 1;
    return microseconds(() => this.#turn());
  }

  async #begin(): Promise<void> {
    await this.#stream?.return();
    const group = this.#sessions.group();
    const { content, role: _, ...turn } = plainTurn();
    for (const name of ['planner', 'writer', 'critic', 'judge']) {
      group.addAgent({ name, execute: () => ({ ...turn, content }) });
    }
    this.#stream = group.stream(await this.#session(), 'Go on.');
    this.#left = stepsOfRun;
    // The message, and a step that warms up.
    await this.#turn();
    await this.#turn();
  }

  async #turn(): Promise<void> {
    for (;;) {
      const next = await this.#stream?.next();
      if (next?.value?.type === 'turn') return;
      if (next?.done !== false) throw new Error('the run has ended');
    }
  }
}

async function measure({ directory, quick }: MeasureOptions): Promise<readonly Figure[]> {
  const config = { ...noCaps, autoCheckpointInterval: null };
  const rounds = quick ? 3 : 9;
  const operations = quick ? 40 : 200;
  const figures: Figure[] = [];
  for (const synchronous of ['normal', 'full'] as const) {
    await using sessions = await openSessions(directory, `${synchronous}.db`, synchronous, config);
    const turn = plainTurn();
    const filled = async (turns: number): Promise<string> => {
      const id = await newSession(sessions);
      for (let n = 0; n < turns; n += 10) {
        await sessions.manager.addTurns(id, Array.from({ length: 10 }, plainTurn));
      }
      return id;
    };
    const short10 = new Speaking(sessions, () => filled(10));
    const plain = await filled(10);
    const ratio = await alternate(rounds, operations, {
      one: () => short10.step(),
      other: () => microseconds(() => sessions.manager.addTurn(plain, turn)),
    });
    figures.push(toFigure(`a step ÷ one append, ${synchronous}`, 3.5, ratio, operations));
    let runs = 0;
    let long = '';
    const long1000 = new Speaking(sessions, async () => {
      // It grows by each run: a new one now and then keeps it near a thousand.
      if (runs++ % 5 === 0) long = await filled(1_000);
      return long;
    });
    const lengths = await alternate(rounds, operations, {
      one: () => long1000.step(),
      other: () => short10.step(),
    });
    figures.push(toFigure(`at 1,000 ÷ at 10 turns, ${synchronous}`, 1.2, lengths, operations));
  }
  return figures;
}

function toFigure(
  name: string,
  atMost: number,
  costs: { readonly one: readonly number[]; readonly other: readonly number[] },
  operations: number,
): Figure {
  const { high, low, value } = ratioOf(costs.one, costs.other);
  return {
    name,
    value,
    unit: '×',
    goal: { atMost },
    detail: `${short(median(costs.one))} ÷ ${short(median(costs.other))} µs; ${costs.one.length} rounds of ${operations} in turn, medians, ${short(low)}–${short(high)}`,
  };
}
