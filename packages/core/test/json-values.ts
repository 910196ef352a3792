import fc from 'fast-check';

/** Well-formed text without U+0000, of one to four bytes a character. */
export const text: fc.Arbitrary<string> = fc
  .string({ unit: 'binary', maxLength: 12 })
  .map((value) => value.replaceAll('\0', '␀'));

const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'd') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('', '0', '1', 'constructor', 'prototype', 'toString', 'length'),
  },
  // fast-check likes to try this name too.
  { weight: 1, arbitrary: text.filter((name) => name !== '__proto__') },
);
const anyKey = fc.oneof(
  { weight: 12, arbitrary: key },
  { weight: 1, arbitrary: fc.constant('__proto__') },
);

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  text,
);

function membersOf(value: fc.Arbitrary<unknown>, keys: fc.Arbitrary<string>): fc.Arbitrary<object> {
  // `fromEntries` makes `__proto__` a member like any other.
  return fc
    .array(fc.tuple(keys, value), { maxLength: 5 })
    .map((entries) => Object.fromEntries(entries));
}

function valuesWith(keys: fc.Arbitrary<string>): {
  readonly value: fc.Arbitrary<unknown>;
  readonly object: fc.Arbitrary<object>;
} {
  const { object, value } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      tie('object'),
    ),
    object: membersOf(tie('value'), keys),
  }));
  return { object, value };
}

/** Any JSON value, and any JSON object: also with keys that are called `__proto__`. */
export const { object: jsonObject, value: jsonValue } = valuesWith(anyKey);

/** JSON objects without the key that a turn refuses. */
export const { object: plainObject, value: plainValue } = valuesWith(key);
