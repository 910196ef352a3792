import { SessionInputError } from '../errors.ts';
import { checkName, kindOf } from '../session/ids.ts';
import { atOnceOrLater } from '../session/is-thenable.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import { type GroupView, textOf } from './group-view.ts';

/** What a condition says: null to go on, or a text for people that says what was met. */
export type Verdict = string | null;

type Judge = (view: GroupView) => Verdict | Promise<Verdict>;

/** When a run stops. It is judged before each step, so before an agent is paid for. Keeps nothing between steps. */
export class StopCondition {
  readonly #judge: Judge;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  judge(view: GroupView): Verdict | Promise<Verdict> {
    return atOnceOrLater(this.#judge(view));
  }

  /** Met when both are met at the same step. */
  and(other: StopCondition): StopCondition {
    return new StopCondition((view) =>
      after(this.judge(view), (first) =>
        first === null
          ? null
          : after(other.judge(view), (second) => second && `${first} and ${second}`),
      ),
    );
  }

  /** Met when one is met; the other is then not asked. */
  or(other: StopCondition): StopCondition {
    return new StopCondition((view) =>
      after(this.judge(view), (first) => first ?? other.judge(view)),
    );
  }
}

function after(
  verdict: Verdict | Promise<Verdict>,
  next: (verdict: Verdict) => Verdict | Promise<Verdict>,
): Verdict | Promise<Verdict> {
  return verdict instanceof Promise ? verdict.then(next) : next(verdict);
}

function atLeast(name: string, max: number, value: (view: GroupView) => number): StopCondition {
  const limit = parseCount(max, name) ?? missing(name);
  return new StopCondition((view) => (value(view) >= limit ? `${name} ${limit}` : null));
}

function missing(path: string): never {
  throw new SessionInputError(path, 'is missing');
}

/** Stop conditions, to be put together with `and` and `or`. Each throws SessionInputError for what it cannot take. */
export const stop: {
  /** After so many rounds, each of as many steps as there are agents. */
  readonly rounds: (max: number) => StopCondition;
  /** Once agents wrote so many turns. */
  readonly turns: (max: number) => StopCondition;
  /** Once the run spent so many tokens. */
  readonly tokens: (max: number) => StopCondition;
  /** Once the run cost so much, in USD. */
  readonly cost: (max: number) => StopCondition;
  /** Once the run has worked for so many milliseconds, in all processes. */
  readonly time: (max: number) => StopCondition;
  /** Once an agent said this text, or something that the pattern matches, in the last step. */
  readonly text: (wanted: string | RegExp) => StopCondition;
  /** Once the last step handed over to nobody; with a name, to that agent. */
  readonly handOver: (to?: string | null) => StopCondition;
  /** Once agents say the same text `texts` times in a row, or the same two speak by turns `pairs` times each. */
  readonly repetition: (options?: {
    readonly texts?: number;
    readonly pairs?: number;
  }) => StopCondition;
  /** Once the signal is aborted. The step under way is finished; `run`'s own signal breaks it off. */
  readonly signal: (signal: AbortSignal) => StopCondition;
  /** Once the function says true, or a text that says why. */
  readonly when: (
    met: (view: GroupView) => boolean | string | Promise<boolean | string>,
  ) => StopCondition;
} = Object.freeze({
  rounds: (max: number) =>
    atLeast('rounds', max, (view) => Math.floor(view.selections / Math.max(1, view.agents.length))),
  turns: (max: number) => atLeast('turns', max, ({ spent }) => spent.turns),
  tokens: (max: number) => atLeast('tokens', max, ({ spent }) => spent.tokens),
  cost: (max: number) => {
    if (typeof max !== 'number' || !(max >= 0)) {
      throw new SessionInputError('cost', `expected USD, a number from 0 up, got ${kindOf(max)}`);
    }
    return new StopCondition(({ spent }) => (spent.cost >= max ? `cost ${max}` : null));
  },
  time: (max: number) => atLeast('time', max, ({ elapsedMs }) => elapsedMs),
  text: (wanted: string | RegExp) => {
    const finds = finder(wanted);
    return new StopCondition(({ lastTurns }) =>
      lastTurns.some((turn) => turn.role === 'assistant' && finds(textOf(turn))) ? 'text' : null,
    );
  },
  handOver: (to: string | null = null) => {
    if (to !== null) checkName(to, 'handOver');
    return new StopCondition(({ last }) =>
      last !== null && last.handOver === to ? `hand-over to ${to ?? 'nobody'}` : null,
    );
  },
  repetition,
  signal: (signal: AbortSignal) => {
    if (!(signal instanceof AbortSignal)) {
      throw new SessionInputError('signal', `expected an AbortSignal, got ${kindOf(signal)}`);
    }
    return new StopCondition(() => (signal.aborted ? 'signal' : null));
  },
  when: (met: (view: GroupView) => boolean | string | Promise<boolean | string>) => {
    if (typeof met !== 'function') {
      throw new SessionInputError('when', `expected a function, got ${kindOf(met)}`);
    }
    const toVerdict = (said: unknown): Verdict =>
      typeof said === 'string' && said !== '' ? said : said === true ? 'function' : null;
    return new StopCondition((view) => {
      const said = atOnceOrLater(met(view));
      return said instanceof Promise ? said.then(toVerdict) : toVerdict(said);
    });
  },
});

function finder(wanted: unknown): (text: string) => boolean {
  if (typeof wanted === 'string' && wanted !== '') return (text) => text.includes(wanted);
  if (wanted instanceof RegExp) {
    // Without the flags that make a pattern remember where it was.
    const pattern = new RegExp(wanted.source, wanted.flags.replaceAll(/[gy]/g, ''));
    return (text) => pattern.test(text);
  }
  throw new SessionInputError('text', `expected a text or a pattern, got ${kindOf(wanted)}`);
}

function repetition(options?: { readonly texts?: number; readonly pairs?: number }): StopCondition {
  const given = checkOptions(options, ['texts', 'pairs']);
  const pairs = parseCount(given['pairs'], 'options.pairs');
  const texts =
    parseCount(given['texts'], 'options.texts') ?? (pairs === undefined ? 3 : undefined);
  if ((texts ?? 2) < 2 || (pairs ?? 2) < 2) {
    throw new SessionInputError('options', 'once is no repetition: give 2 at least');
  }
  return new StopCondition((view) => {
    if (texts !== undefined && sameText(view, texts)) return `the same text ${texts} times`;
    if (pairs !== undefined && samePair(view, pairs)) return `the same pair ${pairs} times`;
    return null;
  });
}

function sameText(view: GroupView, times: number): boolean {
  let text: string | undefined;
  let count = 0;
  for (const turn of view.said()) {
    const said = textOf(turn).trim();
    text ??= said;
    if (said !== text) return false;
    count += 1;
    if (count === times) return true;
  }
  return false;
}

function samePair(view: GroupView, times: number): boolean {
  const names = view.speakers(times * 2);
  const [one, other] = names;
  return (
    names.length === times * 2 &&
    one !== other &&
    names.every((name, i) => name === (i % 2 === 0 ? one : other))
  );
}

/** What a caller gave as `stopWhen`. @throws SessionInputError */
export function toStopCondition(given: unknown): StopCondition {
  if (given === undefined) return stop.handOver();
  if (given instanceof StopCondition) return given;
  if (typeof given === 'function') {
    return stop.when(given as Parameters<typeof stop.when>[0]);
  }
  throw new SessionInputError(
    'options.stopWhen',
    `expected a stop condition or a function, got ${kindOf(given)}`,
  );
}
