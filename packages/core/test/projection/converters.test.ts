import { generateText, type ModelMessage } from 'ai';
import { describe, expect, it } from 'vitest';
import { SessionLimitError } from '../../src/errors.ts';
import type { AnthropicMessage } from '../../src/projection/formats/anthropic.ts';
import type { OpenAiChatMessage } from '../../src/projection/formats/openai-chat.ts';
import { project } from '../../src/projection/project.ts';
import type { SessionTurn } from '../../src/session/turn.ts';
import { countOf, seeded } from '../scale.ts';
import { conversations } from './conversations.ts';
import { anthropicFaults, openAiChatFaults, openAiResponsesFaults } from './provider-rules.ts';
import { randomLog } from './random-log.ts';
import { type RecordedModel, recordedModels } from './recorded-models.ts';

/** Logs of both kinds, some of the real ones cut to their beginning. */
function* samples(count: number): Generator<readonly SessionTurn[]> {
  const random = seeded(77);
  const real = conversations();
  for (let n = 1; n <= count; n++) {
    if (n % 2 === 0) yield randomLog(n, { turns: 1 + Math.floor(random() * 40) });
    else {
      const { turns } = real[Math.floor(random() * real.length)] as (typeof real)[0];
      yield turns.slice(0, 1 + Math.floor(random() * 200));
    }
  }
}

/** Budgets of a log that it can be projected to. */
function budgetOf(turns: readonly SessionTurn[], random: () => number): number | undefined {
  const maxTokens = 100 + Math.floor(random() ** 2 * 8_000);
  try {
    return project(turns, { maxTokens }).messages.length === 0 ? undefined : maxTokens;
  } catch (error) {
    if (error instanceof SessionLimitError) return undefined;
    throw error;
  }
}

describe('a projection in the format of', () => {
  it('the AI SDK is taken by its converters, and its requests by the providers', async () => {
    const models = recordedModels();
    const random = seeded(3);
    let sent = 0;
    for (const turns of samples(countOf(1_000, 60))) {
      const maxTokens = budgetOf(turns, random);
      if (maxTokens === undefined) continue;
      const { messages, system } = project(turns, { maxTokens, format: 'ai-sdk' });
      if (messages.length === 0) continue;
      // Its types are those of the AI SDK.
      const given: ModelMessage[] = [...messages];
      for (const { model } of models) {
        const instructions = system === null ? {} : { instructions: system };
        const { text } = await generateText({
          model,
          messages: given,
          ...instructions,
          maxRetries: 0,
        });
        expect(text).toBe('ok');
      }
      sent += 1;
      checkRequests(models, turns);
    }
    expect(sent).toBeGreaterThan(countOf(1_000, 60) / 2);
  }, 600_000);

  it('each provider keeps its rules', () => {
    const random = seeded(4);
    for (const turns of samples(countOf(3_000, 120))) {
      const maxTokens = budgetOf(turns, random);
      if (maxTokens === undefined) continue;
      const as = <F extends 'anthropic' | 'openai-chat' | 'openai-responses'>(format: F) =>
        project(turns, { maxTokens, format }).messages;
      expect(anthropicFaults(as('anthropic'))).toEqual([]);
      expect(openAiChatFaults(as('openai-chat'))).toEqual([]);
      expect(openAiResponsesFaults(as('openai-responses'))).toEqual([]);
    }
  });
});

function checkRequests(models: readonly RecordedModel[], turns: readonly SessionTurn[]): void {
  for (const { name, requests } of models) {
    const body = requests.pop();
    const place = `${name}, ${turns.length} turns`;
    if (name === 'chat') {
      const messages = body?.['messages'] as readonly OpenAiChatMessage[];
      expect(openAiChatFaults(messages), place).toEqual([]);
    } else if (name === 'anthropic') {
      const messages = body?.['messages'] as readonly AnthropicMessage[];
      expect(anthropicFaults(messages), place).toEqual([]);
    } else if (name === 'google') {
      const contents = body?.['contents'] as readonly { role: string; parts: object[] }[];
      expect(contents[0]?.role, place).toBe('user');
      for (const { parts } of contents) expect(parts.length, place).toBeGreaterThan(0);
    } else {
      expect(body?.['input'], place).toBeInstanceOf(Array);
    }
  }
}

const image = 'https://example.com/a.png';
const said = (seq: number, role: 'user' | 'assistant', content: SessionTurn['content']) => ({
  turnId: `t${seq}`,
  seq,
  role,
  content,
  timestamp: '2026-01-01T00:00:00.000Z',
});

describe('files', () => {
  it('are sent where everybody can see them, and named where not', () => {
    const parts = [
      { type: 'text', text: 'See' },
      { type: 'file', mediaType: 'image/png', url: image },
      { type: 'file', mediaType: 'image/png', url: 'http://169.254.169.254/a.png' },
      { type: 'file', mediaType: 'image/png', url: 'file:///etc/passwd' },
      { type: 'file', mediaType: 'image/svg+xml', url: 'https://example.com/a.svg' },
      { type: 'file', mediaType: 'application/pdf', data: 'JVBERi0xLjQ=' },
    ] as const;
    const turns = [said(1, 'user', parts)];
    const { messages } = project(turns, { format: 'ai-sdk' });
    expect(messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'See' },
          { type: 'file', mediaType: 'image/png', data: image },
          { type: 'text', text: '[file: image/png http://169.254.169.254/a.png]' },
          { type: 'text', text: '[file: image/png file:///etc/passwd]' },
          { type: 'text', text: '[file: image/svg+xml https://example.com/a.svg]' },
          { type: 'file', mediaType: 'application/pdf', data: 'JVBERi0xLjQ=' },
        ],
      },
    ]);
    const [anthropic] = project(turns, { format: 'anthropic' }).messages;
    expect(anthropic?.content).toContainEqual({
      type: 'document',
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0xLjQ=' },
    });
    const [chat] = project(turns, { format: 'openai-chat' }).messages;
    expect(chat?.content).toContainEqual({ type: 'image_url', image_url: { url: image } });
    const [item] = project(turns, { format: 'openai-responses' }).messages;
    expect(item).toMatchObject({
      content: expect.arrayContaining([{ type: 'input_image', image_url: image, detail: 'auto' }]),
    });
  });

  it('are seen by the providers of the AI SDK', async () => {
    const turns = [
      said(1, 'user', [{ type: 'file', mediaType: 'image/png', data: 'iVBORw0KGgo=' }]),
    ];
    for (const { model, name, requests } of recordedModels()) {
      await generateText({ model, messages: [...project(turns, { format: 'ai-sdk' }).messages] });
      expect(JSON.stringify(requests), name).toContain('iVBORw0KGgo=');
    }
  });
});

describe('names of tools and ids of calls', () => {
  it('stay as they are if a provider takes them, and different ones stay different', () => {
    const long = 'a_tool-with_a_name'.repeat(3);
    const names = [long, 'find trains', 'find.trains', 'x'.repeat(80), `${'x'.repeat(80)}y`];
    const toolCalls = names.map((name, i) => ({ id: `id ${i % 2}.${i}`, name, arguments: '{}' }));
    const turns = [said(1, 'user', 'go'), { ...said(2, 'assistant', ''), toolCalls }];
    const calls = project(turns, { format: 'openai-chat' }).messages.flatMap((message) =>
      message.role === 'assistant' ? (message.tool_calls ?? []) : [],
    );
    const sent = calls.map((call) => call.function.name);
    expect(sent.slice(0, 3)).toEqual([long, 'find_trains', 'find_trains_2']);
    expect(sent[3]).toHaveLength(64);
    expect(new Set(sent).size).toBe(5);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(5);
  });
});

describe('reasoning', () => {
  it('goes back to the provider that signed it, and to no other', () => {
    const turns = [
      said(1, 'user', 'Why?'),
      said(2, 'assistant', [
        { type: 'reasoning', text: 'because', signature: 'sig' },
        { type: 'reasoning', text: 'unsigned' },
        { type: 'text', text: 'So.' },
      ]),
    ];
    const as = (format: 'anthropic' | 'ai-sdk' | 'openai-chat') =>
      JSON.stringify(project(turns, { format }).messages[1]);
    expect(as('anthropic')).toBe(
      '{"role":"assistant","content":[{"type":"thinking","thinking":"because","signature":"sig"},{"type":"text","text":"So."}]}',
    );
    expect(as('ai-sdk')).toContain('"providerOptions":{"anthropic":{"signature":"sig"}}');
    expect(as('openai-chat')).toBe('{"role":"assistant","content":"So."}');
  });
});
