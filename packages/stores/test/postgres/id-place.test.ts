import { newTurnId } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import { bitsOfId } from '../../src/postgres/id-place.ts';

it('an id has the same bits for ever: rows are found by them', () => {
  const ids = [
    'a',
    'turn-1',
    '0Vc3vDdxyrMDPzGvGJwT',
    '6f1c2b9e-0d43-4c55-9f0e-5a3c2f9d1b77',
    '言🙂',
  ];
  expect(Object.fromEntries(ids.map((id) => [id, bitsOfId(id)]))).toMatchInlineSnapshot(`
    {
      "0Vc3vDdxyrMDPzGvGJwT": 6358242,
      "6f1c2b9e-0d43-4c55-9f0e-5a3c2f9d1b77": 15398095,
      "a": 2314,
      "turn-1": 3794,
      "言🙂": 2716,
    }
  `);
});

it('any text has 24 of them', () => {
  for (const id of ['', '\u0000', ' '.repeat(256), '\uffff'.repeat(8), '🙂', 'zzzzzzzz']) {
    expect(bitsOfId(id)).toBe(bitsOfId(id) & 0xff_ff_ff);
  }
});

it('ids that are made at once stand together, and are spread there', () => {
  const all = Array.from({ length: 2_000 }, () => bitsOfId(newTurnId()));
  expect(new Set(all.map((bits) => bits >> 12)).size).toBeLessThan(10);
  expect(new Set(all).size).toBeGreaterThan(1_500);
});

it('other ids are spread over the places that they have', () => {
  const all = Array.from({ length: 2_000 }, () => bitsOfId(crypto.randomUUID()));
  expect(new Set(all).size).toBeGreaterThan(1_950);
  const counted = Array.from({ length: 2_000 }, (_, n) => bitsOfId(`message-${n}`));
  expect(new Set(counted).size).toBeGreaterThan(1_500);
});
