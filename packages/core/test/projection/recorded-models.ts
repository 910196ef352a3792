import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import type { LanguageModel } from 'ai';

/** A model of a real provider that sends its request to nobody but us. */
export interface RecordedModel {
  readonly name: string;
  readonly model: Exclude<LanguageModel, string>;
  /** The bodies of the requests, oldest first. */
  readonly requests: Record<string, unknown>[];
}

const answers = {
  chat: {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  },
  responses: {
    id: 'r',
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: 'm',
    output: [
      {
        type: 'message',
        role: 'assistant',
        id: 'm1',
        status: 'completed',
        content: [{ type: 'output_text', text: 'ok', annotations: [] }],
      },
    ],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
  },
  anthropic: {
    type: 'message',
    id: 'm',
    model: 'm',
    role: 'assistant',
    content: [{ type: 'text', text: 'ok' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  },
  google: {
    candidates: [{ content: { role: 'model', parts: [{ text: 'ok' }] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  },
} as const;

/** The AI SDK's models of OpenAI (both interfaces), Anthropic and Google. */
export function recordedModels(): readonly RecordedModel[] {
  const record = (
    name: keyof typeof answers,
    make: (fetch: typeof globalThis.fetch) => RecordedModel['model'],
  ): RecordedModel => {
    const requests: Record<string, unknown>[] = [];
    const fetch: typeof globalThis.fetch = async (_, init) => {
      requests.push(JSON.parse(String(init?.body)));
      return Response.json(answers[name]);
    };
    return { name, model: make(fetch), requests };
  };
  const apiKey = 'none';
  return [
    record('chat', (fetch) => createOpenAI({ apiKey, fetch }).chat('gpt-4o')),
    record('responses', (fetch) => createOpenAI({ apiKey, fetch }).responses('gpt-4o')),
    record('anthropic', (fetch) => createAnthropic({ apiKey, fetch })('claude-sonnet-4-5')),
    record('google', (fetch) => createGoogle({ apiKey, fetch })('gemini-2.5-flash')),
  ];
}
