import type { JsonValue } from '@lexigram/ai-session';
import type { TurnBody } from './model/turn.ts';

/** A tool's arguments are opaque: any key is a key. */
const protoArguments: JsonValue = JSON.parse('{"z":[1],"__proto__":{"x":1},"a":"b"}');

/** Turns of all kinds: each role, each part, usage given whole and in part, money that needs rounding. */
export const turnBodies: readonly TurnBody[] = [
  { role: 'user', content: 'Hello' },
  {
    role: 'assistant',
    content: 'Hi there',
    model: 'm-1',
    provider: 'p',
    usage: { inputTokens: 10, outputTokens: 5 },
    cost: 0.1,
  },
  { role: 'user', content: 'Grüße e\u0301 😀 \u2028 "quoted" \\ end', name: 'Ada' },
  {
    role: 'assistant',
    content: '',
    agent: 'planner',
    toolCalls: [{ id: 'c1', name: 'search', arguments: '{"q": "x",  "n":1}' }],
    usage: { totalTokens: 7, reasoningTokens: 2 },
    cost: 0.2,
  },
  {
    role: 'tool',
    content: 'not found',
    toolCallId: 'c1',
    isError: true,
    metadata: { z: 1, a: [null, { y: '', b: false }] },
  },
  {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'Let me see', signature: 's=' },
      { type: 'text', text: 'Done', extra: { z: 1, a: 2 } },
      { type: 'data', name: 'table', json: { rows: [[1, 2.5], [0.1 + 0.2]], b: null } },
    ],
    state: 'aborted',
    usage: { inputTokens: 3 },
    cost: 1.0000000004,
  },
  {
    role: 'user',
    content: [{ type: 'file', mediaType: 'image/png', url: 'https://example.org/a.png' }],
    visibleTo: ['planner', 'critic'],
  },
  {
    role: 'assistant',
    content: 'Again',
    agent: 'critic',
    hiddenFrom: ['planner'],
    toolCalls: [{ id: 'c2', name: 'run', arguments: protoArguments }],
    usage: {},
    cost: 1e-9,
  },
  { role: 'system', content: 'Be polite.', metadata: {} },
  {
    role: 'assistant',
    content: 'A long answer. '.repeat(800),
    usage: { inputTokens: 100, outputTokens: 50, cacheReadTokens: 90, totalTokens: 160 },
    cost: 0.000000123456,
  },
];

/** The same turn with one thing changed: another turn under the same id is a conflict. */
export function changedBody(body: TurnBody, n: number): TurnBody {
  switch (n % 5) {
    case 0:
      return { ...body, content: 'Something else' };
    case 1:
      return { ...body, role: body.role === 'user' ? 'assistant' : 'user' };
    case 2:
      return { ...body, metadata: { changed: n } };
    case 3:
      return { ...body, usage: { totalTokens: 999 } };
    default:
      return { ...body, agent: 'somebody-else' };
  }
}

/** The same turn with the keys of all its objects the other way round: the same content. */
export function reordered(body: TurnBody): TurnBody {
  const text = JSON.stringify(body, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).reverse())
      : part,
  );
  return JSON.parse(text) as TurnBody;
}
