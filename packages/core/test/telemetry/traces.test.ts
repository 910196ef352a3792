import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSessions } from '../../src/create-sessions.ts';
import { SessionInputError, SessionStoreUnavailableError } from '../../src/errors.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import { fingerprint } from '../../src/telemetry/fingerprint.ts';
import { genai } from '../../src/telemetry/genai-names.ts';
import { collect } from './collect.ts';
import { canary, live } from './live.ts';

let told: ReturnType<typeof collect>;
beforeEach(() => {
  told = collect();
});
afterEach(() => told.stop());

const names = (): readonly string[] => told.spans().map(({ name }) => name);

describe('spans', () => {
  it('are made of every write, with the conversation and no contents', async () => {
    await using sessions = await createSessions();
    const sessionId = await live(sessions);
    const own = told.spans().filter(({ attributes }) => {
      return attributes['gen_ai.conversation.id'] === fingerprint(sessionId);
    });
    expect(new Set(own.map(({ name }) => name))).toEqual(
      new Set(
        [
          ...['create', 'add_turns', 'set_variables', 'set_metadata', 'checkpoint', 'restore'],
          ...['edit', 'undo', 'suspend', 'resume', 'close', 'keep_records'],
        ].map((name) => `session ${name}`),
      ),
    );
    for (const { attributes, name } of told.spans()) {
      expect(attributes, name).toHaveProperty(['gen_ai.conversation.id']);
      expect(attributes, name).toHaveProperty(['lexigram.session.outcome']);
    }
    const all = await told.all();
    expect(all).toContain('planner');
    expect(all).not.toContain(canary);
    expect(all).not.toContain(sessionId);
  });

  it('have what a turn used, under the names of the conventions', async () => {
    await using sessions = await createSessions();
    await live(sessions);
    const answer = told
      .spans()
      .find(({ attributes }) => attributes['gen_ai.agent.name'] !== undefined);
    expect(answer?.attributes).toMatchObject({
      'lexigram.session.call': 'add_turns',
      'lexigram.session.outcome': 'done',
      'lexigram.session.turns': 2,
      'gen_ai.agent.name': 'planner',
      'gen_ai.provider.name': 'provider-a',
      'gen_ai.response.model': 'model-a',
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 10,
    });
    expect(answer?.instrumentationScope.name).toBe('lexigram-ai-session');
  });

  it('are made of a read inside of another span alone, as its children', async () => {
    await using sessions = await createSessions();
    const { sessionId } = await sessions.manager.create({ userId: 'ada' });
    await sessions.manager.getState(sessionId);
    expect(names()).toEqual(['session create']);
    const request = trace.getTracer('test').startSpan('request');
    await context.with(trace.setSpan(context.active(), request), async () => {
      await sessions.manager.getState(sessionId, { turns: 'all' });
      await sessions.manager.addTurn(sessionId, { role: 'user', content: 'Hello!' });
    });
    request.end();
    const inner = told.spans().slice(1, -1);
    expect(inner.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['session read_session', 'session add_turns']),
    );
    for (const span of inner) {
      expect(span.parentSpanContext?.spanId, span.name).toBe(request.spanContext().spanId);
    }
  });

  it('are above what the store itself traces', async () => {
    const store = new InMemorySessionStore();
    const create = store.create.bind(store);
    Object.defineProperty(store, 'create', {
      value: (given: Parameters<typeof create>[0]) => {
        trace.getTracer('engine').startSpan('INSERT').end();
        return create(given);
      },
    });
    await using sessions = await createSessions({}, { store });
    await sessions.manager.create({ userId: 'ada' });
    const [inner, outer] = told.spans();
    expect([inner?.name, outer?.name]).toEqual(['INSERT', 'session create']);
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  });

  it('tell why a call was refused, and that one failed, without the message', async () => {
    const store = new InMemorySessionStore();
    await using sessions = await createSessions({ maxSessionsPerUser: 1 }, { store });
    const { sessionId } = await sessions.manager.create({ userId: 'ada' });
    await sessions.manager.create({ userId: 'ada' }).catch(() => {});
    const dsn = `postgres://user:${canary}@host`;
    const error = new SessionStoreUnavailableError('io', dsn, { cause: new Error(dsn) });
    Object.defineProperty(store, 'commit', { value: () => Promise.reject(error) });
    const adding = sessions.manager.addTurn(sessionId, { role: 'user', content: canary });
    await expect(adding).rejects.toBe(error);
    const [, refused, failed] = told.spans();
    expect(refused?.attributes['lexigram.session.outcome']).toBe('cap');
    expect(refused?.status.code).toBe(SpanStatusCode.UNSET);
    expect(failed?.attributes).toMatchObject({
      'lexigram.session.outcome': 'LEX_ERR_SES_016',
      'error.type': 'LEX_ERR_SES_016',
    });
    expect(failed?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(await told.all()).not.toContain(canary);
  });

  it('break no call when the telemetry is broken', async () => {
    const broken = () => {
      throw new Error(canary);
    };
    trace.disable();
    trace.setGlobalTracerProvider({
      getTracer: () => ({ startSpan: broken, startActiveSpan: broken }),
    });
    await using sessions = await createSessions();
    await live(sessions);
    expect(names()).toEqual([]);
  });

  it('are not made when they are not wanted', async () => {
    await using sessions = await createSessions({}, { telemetry: { enabled: false } });
    await live(sessions);
    expect(names()).toEqual([]);
    expect(await told.series()).toEqual([]);
  });
});

describe('contents', () => {
  it('are in spans when asked for: redacted, then cut', async () => {
    const seen: string[] = [];
    const redact = (text: string): string => {
      seen.push(text);
      if (text === 'throw') throw new Error(text);
      return text.replaceAll(canary, '[secret]');
    };
    const content = { maxCharacters: 20, redact };
    await using sessions = await createSessions({}, { telemetry: { content } });
    const { sessionId } = await sessions.manager.create({
      userId: 'ada',
      systemPrompt: 'Be brief.',
    });
    await sessions.manager.addTurns(sessionId, [
      { role: 'user', content: `Hello ${canary}!` },
      {
        role: 'assistant',
        content: `😀${'x'.repeat(50)}`,
        toolCalls: [{ id: '1', name: 'find', arguments: { q: canary } }],
      },
      { role: 'tool', toolCallId: '1', content: [{ type: 'text', text: canary }] },
      { role: 'user', content: 'throw' },
    ]);
    const [created, added] = told.spans();
    const read = (value: unknown): unknown => JSON.parse(String(value));
    expect(read(created?.attributes['gen_ai.input.messages'])).toEqual([
      { role: 'system', parts: [{ type: 'text', content: 'Be brief.' }] },
    ]);
    expect(created?.attributes).not.toHaveProperty(['gen_ai.output.messages']);
    expect(read(added?.attributes['gen_ai.input.messages'])).toEqual([
      { role: 'user', parts: [{ type: 'text', content: 'Hello [secret]!' }] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: '1', response: '[secret]' }] },
      { role: 'user', parts: [{ type: 'text', content: '(left out)' }] },
    ]);
    expect(read(added?.attributes['gen_ai.output.messages'])).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'text', content: `😀${'x'.repeat(18)}…` },
          { type: 'tool_call', id: '1', name: 'find', arguments: '{"q":"[secret]"}' },
        ],
      },
    ]);
    expect(seen).toContain(`Hello ${canary}!`);
    expect(await told.all()).not.toContain(canary);
  });

  it('would be found if they were there', async () => {
    await using sessions = await createSessions({}, { telemetry: { content: {} } });
    await live(sessions);
    expect(await told.all()).toContain(canary);
  });

  it.each([
    [{ content: true }, 'parts.telemetry.content'],
    [{ content: { redact: 'no' } }, 'parts.telemetry.content.redact'],
    [{ content: { maxCharacters: -1 } }, 'parts.telemetry.content.maxCharacters'],
    [{ contents: {} }, 'parts.telemetry'],
    [{ enabled: 'yes' }, 'parts.telemetry.enabled'],
    [null, 'parts.telemetry'],
  ])('%j are no options', async (telemetry, path) => {
    const opening = createSessions({}, { telemetry: telemetry as never });
    await expect(opening).rejects.toThrow(SessionInputError);
    await expect(opening).rejects.toThrow(`Invalid ${path}:`);
  });
});

describe('measurements', () => {
  it('count calls, turns, tokens and money, each turn once', async () => {
    await using sessions = await createSessions();
    await live(sessions);
    const series = await told.series();
    const amount = (name: string, attributes: object): number | undefined =>
      series.find((one) => {
        return one.name === name && JSON.stringify(one.attributes) === JSON.stringify(attributes);
      })?.value;
    const model = { 'gen_ai.response.model': 'model-a' };
    expect(amount('lexigram.session.tokens', { ...model, 'gen_ai.token.type': 'input' })).toBe(100);
    expect(amount('lexigram.session.tokens', { ...model, 'gen_ai.token.type': 'output' })).toBe(10);
    expect(amount('lexigram.session.cost', model)).toBe(0.25);
    const role = (name: string) => ({ 'lexigram.session.turn.role': name });
    expect(amount('lexigram.session.turns', role('system'))).toBe(1);
    expect(amount('lexigram.session.turns', role('user'))).toBe(3);
    expect(amount('lexigram.session.turns', { ...model, ...role('assistant') })).toBe(1);
    const call = (name: string, outcome: string) => ({
      'lexigram.session.call': name,
      'lexigram.session.outcome': outcome,
    });
    expect(amount('lexigram.session.call.duration', call('add_turns', 'done'))).toBe(3);
    expect(amount('lexigram.session.call.duration', call('add_turns', 'repeat'))).toBe(2);
    expect(amount('lexigram.session.call.duration', call('restore', 'done'))).toBe(1);
    expect(series.find(({ name }) => name === 'lexigram.session.call.duration')?.unit).toBe('s');
  });

  it('go to a provider that is registered later, too', async () => {
    await told.stop();
    await using sessions = await createSessions();
    await sessions.manager.create({ userId: 'ada' });
    told = collect();
    await sessions.manager.create({ userId: 'ada' });
    const series = await told.series();
    expect(series.find(({ name }) => name === 'lexigram.session.call.duration')?.value).toBe(1);
    expect(names()).toEqual(['session create']);
  });
});

describe('the names', () => {
  it('are those that OpenTelemetry publishes', () => {
    const published = new Set<unknown>(Object.values(conventions));
    for (const name of Object.values(genai)) expect(published).toContain(name);
  });
});
