import type { MeterProvider } from '@opentelemetry/api';
import type { SessionTurn } from '../session/turn.ts';
import { genai, own } from './genai-names.ts';

/** Under which instruments and spans are known. */
export const scopeName = 'lexigram-ai-session';

/** Measures calls and turns. */
export interface SessionMeter {
  /** Whether anybody takes the measurements. */
  readonly any: boolean;
  time(seconds: number, call: string, outcome: string): void;
  count(turns: readonly SessionTurn[]): void;
}

type Api = typeof import('@opentelemetry/api');

/** A meter over whatever provider is registered now or later; what is measured before is dropped. */
export function meterOf(api: Api): SessionMeter {
  let provider: MeterProvider | undefined;
  let instruments: ReturnType<typeof instrumentsOf> = null;
  const current = (): ReturnType<typeof instrumentsOf> => {
    const registered = api.metrics.getMeterProvider();
    if (registered !== provider) {
      provider = registered;
      instruments = instrumentsOf(api);
    }
    return instruments;
  };
  return {
    get any() {
      return current() !== null;
    },
    time(seconds, call, outcome) {
      current()?.duration.record(seconds, { [own.call]: call, [own.outcome]: outcome });
    },
    count(turns) {
      const to = current();
      if (to === null) return;
      for (const { cost, model, role, usage } of turns) {
        const names = model === undefined ? {} : { [genai.responseModel]: model };
        to.turns.add(1, { ...names, [own.role]: role });
        if (usage?.inputTokens)
          to.tokens.add(usage.inputTokens, { ...names, [genai.tokenType]: 'input' });
        if (usage?.outputTokens)
          to.tokens.add(usage.outputTokens, { ...names, [genai.tokenType]: 'output' });
        if (cost) to.cost.add(cost, names);
      }
    },
  };
}

/** Null if nobody takes measurements. */
function instrumentsOf(api: Api) {
  const meter = api.metrics.getMeter(scopeName);
  if (meter === api.createNoopMeter()) return null;
  return {
    duration: meter.createHistogram(own.duration, {
      unit: 's',
      description: 'How long a call of the session store took.',
      advice: {
        explicitBucketBoundaries: [
          0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
          5, 10,
        ],
      },
    }),
    turns: meter.createCounter(own.turns, { unit: '{turn}', description: 'Turns written.' }),
    tokens: meter.createCounter(own.tokens, {
      unit: '{token}',
      description: 'Tokens that written turns used.',
    }),
    cost: meter.createCounter(own.cost, { unit: 'USD', description: 'What written turns cost.' }),
  };
}
