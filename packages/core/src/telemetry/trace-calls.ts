import type { Attributes, Span } from '@opentelemetry/api';
import { type Written, writtenTurns } from '../events/written.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { Committed } from '../store/port.ts';
import { fingerprint } from './fingerprint.ts';
import { genai, own } from './genai-names.ts';
import { loggedError } from './logger.ts';
import { type Capture, toMessages } from './messages.ts';
import { meterOf, scopeName } from './meter.ts';
import type { StoreObserver } from './observe-store.ts';
import { outcomeOf, type StoreCall } from './store-call.ts';

type Api = typeof import('@opentelemetry/api');

/**
 * A span and measurements for each call of the store. A write is always a span; a read is one inside of another span,
 * so that what looks for work now and then leaves no traces of its own. What a turn says is in none of it, unless
 * `content` says how.
 */
export function traceCalls(api: Api, content: Capture | null): StoreObserver {
  const tracer = api.trace.getTracer(scopeName);
  const meter = meterOf(api);
  return { wanted: () => isTraced(api) || meter.any, observe };

  async function observe(call: StoreCall, next: () => Promise<unknown>): Promise<unknown> {
    const above = api.context.active();
    const isShown = !call.isRead || api.trace.getSpan(above) !== undefined;
    const span = isShown
      ? quietly(() =>
          tracer.startSpan(`session ${call.name}`, { attributes: namesOf(call) }, above),
        )
      : undefined;
    const start = performance.now();
    let outcome = 'done';
    try {
      const answer = await (span === undefined
        ? next()
        : api.context.with(api.trace.setSpan(above, span), next));
      outcome = outcomeOf(call, answer);
      quietly(() => {
        const turns = span?.isRecording() || meter.any ? turnsOf(call, answer) : [];
        if (span?.isRecording()) describe(span, call, answer, turns, content);
        meter.count(turns);
      });
      return answer;
    } catch (error) {
      outcome = String(loggedError(error)['error']);
      quietly(() => {
        span?.setAttribute('error.type', outcome);
        span?.setStatus({ code: api.SpanStatusCode.ERROR });
      });
      throw error;
    } finally {
      quietly(() => {
        span?.setAttribute(own.outcome, outcome);
        span?.end();
        meter.time((performance.now() - start) / 1000, call.name, outcome);
      });
    }
  }
}

/** Whether anybody takes spans: without an SDK the API has only a place for one. */
function isTraced(api: Api): boolean {
  const provider = api.trace.getTracerProvider();
  const isEmpty =
    provider instanceof api.ProxyTracerProvider &&
    provider.getDelegateTracer(scopeName) === undefined;
  return !isEmpty;
}

function namesOf({ name, sessionId }: StoreCall): Attributes {
  if (sessionId === undefined) return { [own.call]: name };
  return { [own.call]: name, [genai.conversationId]: fingerprint(sessionId) };
}

/** The turns that a call wrote for the first time. */
function turnsOf({ args, verb }: StoreCall, answer: unknown): readonly SessionTurn[] {
  if (verb !== 'create' && verb !== 'commit') return [];
  const result = answer as Committed;
  if (result.refused !== undefined || result.replayed) return [];
  const given = verb === 'create' ? args[0] : args[1];
  return writtenTurns({ verb, session: result.session, given, result } as Written);
}

function describe(
  span: Span,
  { verb }: StoreCall,
  answer: unknown,
  turns: readonly SessionTurn[],
  content: Capture | null,
): void {
  if (verb !== 'create' && verb !== 'commit') return;
  const { refused, session } = answer as Committed;
  if (refused === undefined) span.setAttribute(own.revision, session.revision);
  if (turns.length === 0) return;
  const last = <K extends keyof SessionTurn>(key: K): SessionTurn[K] | undefined =>
    turns.findLast((turn) => turn[key] !== undefined)?.[key];
  const sum = (key: 'inputTokens' | 'outputTokens'): number | undefined => {
    const used = turns.flatMap(({ usage }) => usage?.[key] ?? []);
    return used.length === 0 ? undefined : used.reduce((total, tokens) => total + tokens, 0);
  };
  const attributes: Record<string, string | number | undefined> = {
    [own.turns]: turns.length,
    [genai.agentName]: last('agent'),
    [genai.providerName]: last('provider'),
    [genai.responseModel]: last('model'),
    [genai.inputTokens]: sum('inputTokens'),
    [genai.outputTokens]: sum('outputTokens'),
  };
  if (content !== null) {
    const [answers, others] = [true, false].map((isAnswer) =>
      turns.filter(({ role }) => (role === 'assistant') === isAnswer),
    ) as [SessionTurn[], SessionTurn[]];
    if (others.length > 0) attributes[genai.inputMessages] = toMessages(others, content);
    if (answers.length > 0) attributes[genai.outputMessages] = toMessages(answers, content);
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) span.setAttribute(name, value);
  }
}

/** Telemetry that is broken must not break what it tells of. */
function quietly<T>(tell: () => T): T | undefined {
  try {
    return tell();
  } catch {
    return undefined;
  }
}
