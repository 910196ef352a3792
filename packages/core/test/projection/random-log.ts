import type { SessionTurn } from '../../src/session/turn.ts';
import { seeded } from '../scale.ts';

/** What of a log may be odd. */
export interface LogShape {
  readonly turns: number;
}

const texts = [
  'Where is my order?',
  'It left the warehouse on Monday.',
  'Bitte noch einmal, das habe ich nicht verstanden.',
  '请问附近有什么好吃的餐馆？',
  'ok',
  'A long answer. '.repeat(30),
  '```ts\nconst a = 1;\n```',
  '😀',
];
const blanks = ['', ' ', '\n\t'];
const ids = ['call_1', 'call_2', 'c 3', 'ünï.4', 'call_1_2'];

/** A log as no provider would take it: results without calls, ids used again, late results, empty turns. */
export function randomLog(seed: number, { turns }: LogShape): readonly SessionTurn[] {
  const random = seeded(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const chance = (share: number): boolean => random() < share;
  const log: SessionTurn[] = [];
  const called: string[] = [];
  for (let seq = 1; seq <= turns; seq++) {
    const base = {
      turnId: `t${seq}`,
      seq,
      timestamp: '2026-01-01T00:00:00.000Z',
      content: chance(0.12) ? pick(blanks) : pick(texts),
      ...(chance(0.08) ? { visibleTo: [pick(['a', 'b'])] } : {}),
      ...(chance(0.08) ? { hiddenFrom: [pick(['a', 'b'])] } : {}),
      ...(chance(0.15) ? { agent: pick(['a', 'b']) } : {}),
    };
    const kind = random();
    if (kind < 0.05 || (seq === 1 && chance(0.5))) log.push({ ...base, role: 'system' });
    else if (kind < 0.3) log.push({ ...base, ...(chance(0.3) ? files : {}), role: 'user' });
    else if (kind < 0.5) log.push({ ...base, ...(chance(0.2) ? aborted : {}), role: 'assistant' });
    else if (kind < 0.72) {
      const toolCalls = Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({
        id: pick(ids),
        name: pick(['search', 'book a flight', 'x'.repeat(80)]),
        arguments: pick([{ q: 1 }, '{"q":1}', '{"q":', '', 'text', [1], null]),
      }));
      called.push(...toolCalls.map(({ id }) => id));
      log.push({ ...base, ...(chance(0.1) ? aborted : {}), role: 'assistant', toolCalls });
    } else {
      const late = called.length > 0 && chance(0.85);
      const toolCallId = late
        ? called.splice(Math.floor(random() * called.length), 1)[0]
        : pick(ids);
      log.push({
        ...base,
        role: 'tool',
        ...(toolCallId === undefined ? {} : { toolCallId }),
        ...(chance(0.1) ? { isError: true } : {}),
      });
    }
  }
  return log;
}

const aborted = { state: 'aborted' } as const;
const files = {
  content: [
    { type: 'text', text: 'Look at these.' },
    { type: 'file', mediaType: 'image/png', data: 'iVBORw0KGgo=' },
    { type: 'file', mediaType: 'application/pdf', data: 'JVBERi0xLjQ=' },
    { type: 'file', mediaType: 'application/zip', url: 'file:///etc/passwd' },
    { type: 'data', name: 'cart', json: { items: 2 } },
    { type: 'reasoning', text: 'hm' },
  ],
} as const;
