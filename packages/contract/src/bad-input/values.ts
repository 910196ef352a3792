import { type BadValue, codes } from './row.ts';

/** Values of no use where a string is expected; `null` and `undefined` aside. */
export const noStrings: readonly BadValue[] = [
  { id: 'a number', value: 42, code: codes.input, shows: ['42'] },
  { id: 'NaN', value: Number.NaN, code: codes.input, shows: ['NaN'] },
  { id: 'true', value: true, code: codes.input, shows: ['true'] },
  { id: 'an array', value: ['text'], code: codes.input, shows: ['an array of 1'] },
  { id: 'an object', value: {}, code: codes.input, shows: ['object'] },
  { id: 'an object with toString', value: { toString: () => 'text' }, code: codes.input },
  { id: 'an object without a prototype', value: Object.create(null), code: codes.input },
  { id: 'a String object', value: Object('text'), code: codes.input, shows: ['object'] },
  { id: 'a Date', value: new Date(0), code: codes.input, shows: ['object'] },
  { id: 'a bigint', value: 10n, code: codes.input, shows: ['bigint'] },
  { id: 'a symbol', value: Symbol('text'), code: codes.input, shows: ['symbol'] },
  { id: 'a function', value: () => 'text', code: codes.input, shows: ['function'] },
];

export const nothing: BadValue = {
  id: 'nothing',
  value: undefined,
  code: codes.input,
  shows: ['nothing'],
};

export const nullValue: BadValue = {
  id: 'null',
  value: null,
  code: codes.input,
  shows: ['null'],
};

/** Texts that no engine stores and gives back alike. */
export const brokenTexts: readonly BadValue[] = [
  { id: 'U+0000 inside', value: 'a\0b', code: codes.input, shows: ['U+0000'] },
  { id: 'only U+0000', value: '\0', code: codes.input, shows: ['U+0000'] },
  { id: 'a high surrogate alone', value: 'a\ud800', code: codes.input, shows: ['surrogate'] },
  { id: 'a low surrogate alone', value: '\udc00b', code: codes.input, shows: ['surrogate'] },
  { id: 'surrogates swapped', value: '\udc00\ud800', code: codes.input, shows: ['surrogate'] },
];

const controls: readonly BadValue[] = ['\n', '\r\n', '\t', '\u007f', '\u0085', '\u001b[2J'].map(
  (text) => ({
    id: `the control characters ${JSON.stringify(text)}`,
    value: `a${text}b`,
    code: codes.input,
    shows: ['control characters'],
  }),
);

/** Texts that are no printable text of 1 to `max` characters. */
export function badTexts(max: number): readonly BadValue[] {
  return [
    ...noStrings,
    ...brokenTexts,
    ...controls,
    { id: 'empty', value: '', code: codes.input, shows: ['empty'] },
    {
      id: `${max + 1} characters`,
      value: 'x'.repeat(max + 1),
      code: codes.limit,
      shows: [String(max), String(max + 1)],
    },
    { id: '1 MiB', value: 'x'.repeat(1_048_576), code: codes.limit, shows: [String(max)] },
  ];
}

/** Texts that are no name: printable, and with no space at either end. */
export function badNames(max: number): readonly BadValue[] {
  const spaced = ['x ', ' x', ' ', '\u00a0x', 'x\u3000', '\ufeffx'];
  return [
    ...badTexts(max),
    ...spaced.map((text) => ({
      id: `the spaces of ${JSON.stringify(text)}`,
      value: text,
      code: codes.input,
      shows: ['space'],
    })),
  ];
}

/** What is no whole number from 0 up. */
export const badCounts: readonly BadValue[] = [
  { id: 'a numeral', value: '10', code: codes.input, shows: ["'10'"] },
  { id: '-1', value: -1, code: codes.input, shows: ['-1'] },
  { id: '1.5', value: 1.5, code: codes.input, shows: ['1.5'] },
  { id: 'NaN', value: Number.NaN, code: codes.input, shows: ['NaN'] },
  { id: 'Infinity', value: Number.POSITIVE_INFINITY, code: codes.input, shows: ['Infinity'] },
  { id: '2^53', value: 2 ** 53, code: codes.input, shows: ['9007199254740992'] },
  { id: 'a bigint', value: 1n, code: codes.input, shows: ['bigint'] },
  { id: 'true', value: true, code: codes.input, shows: ['true'] },
  { id: 'an array', value: [1], code: codes.input, shows: ['an array of 1'] },
  { id: 'an object', value: { valueOf: () => 1 }, code: codes.input, shows: ['object'] },
  nullValue,
];

/** What is no plain object of options. */
export const noOptions: readonly BadValue[] = [
  nullValue,
  { id: 'a number', value: 42, code: codes.input, shows: ['42'] },
  { id: 'a string', value: 'text', code: codes.input, shows: ["'text'"] },
  { id: 'false', value: false, code: codes.input, shows: ['false'] },
  { id: 'an array', value: [], code: codes.input, shows: ['an array of 0'] },
  { id: 'a function', value: () => ({}), code: codes.input, shows: ['function'] },
  { id: 'a symbol', value: Symbol('x'), code: codes.input, shows: ['symbol'] },
  { id: 'a bigint', value: 1n, code: codes.input, shows: ['bigint'] },
  { id: 'a Map', value: new Map([['limit', 1]]), code: codes.input },
  { id: 'a Date', value: new Date(0), code: codes.input },
];
