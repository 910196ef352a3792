import { Buffer } from 'node:buffer';

/** Characters of 1, 2, 3 and 4 bytes in UTF-8, and one that JSON writes with a backslash. */
export const scripts: readonly { readonly name: string; readonly unit: string }[] = [
  { name: 'ASCII', unit: 'x' },
  { name: 'Greek', unit: 'λ' },
  { name: 'Chinese', unit: '中' },
  { name: 'emoji', unit: '😀' },
  { name: 'line feeds', unit: '\n' },
];

/** The UTF-8 bytes of a value as compact JSON: the measure of every limit of bytes. */
function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** What `wrap` makes of a text, long enough to be exactly so many bytes of JSON. */
export function sized<Value>(wrap: (text: string) => Value, bytes: number, unit = 'x'): Value {
  const room = bytes - jsonBytes(wrap(''));
  const each = jsonBytes(unit) - 2;
  const rest = room % each;
  return wrap(unit.repeat((room - rest) / each) + 'x'.repeat(rest));
}

/** An object of so many keys. */
export function keys(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
}
