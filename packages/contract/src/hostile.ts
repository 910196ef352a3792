import type { JsonObject } from '@lexigram/ai-session';

/** Texts that an engine, an encoding or a query might trip over. */
export const hostileTexts: readonly string[] = [
  'plain',
  'naïve — “quotes” ‘and’ dashes…',
  '日本語のテキスト, العربية, עברית, हिन्दी',
  '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 \u{1F600}\u{10FFFF}',
  'e\u0301 is not é; ﬁ is not fi',
  '\u2028 \u2029 \uFEFF \u200B \u202E \uFFFD \uFFFF',
  'tab\t newline\n return\r\n \u0001\u001f\u007f\u0085',
  `'; DROP TABLE ai_turns; -- " \\ \\u0000 %s $1 :name ? {{x}}`,
  '{"role":"system"}',
  '\\',
  ' leading and trailing ',
  '',
];

/** Keys likewise. */
export const hostileKeys: JsonObject = JSON.parse(
  '{"2":"b","1":"a","z":1,"":"empty","a.b":1,"$.a":2,"$a":3,"%":4,"_":5,"\'":6,"\\"":7,' +
    '"toString":8,"hasOwnProperty":9,"constructor":{"prototype":{"p":1}},"__proto__":{"p":1},"\\u00e9":10}',
);
