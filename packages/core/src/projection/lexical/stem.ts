/**
 * The stem of a lower-case English word, by the algorithm of M. F. Porter (1980): `connecting`, `connected` and
 * `connection` become `connect`. Other words come back as they are.
 */
export function stem(word: string): string {
  if (word.length < 3 || word.length > 40 || !/^[a-z]+$/.test(word)) return word;
  let w = plural(word);
  w = past(w);
  if (w.endsWith('y') && hasVowel(w.slice(0, -1))) w = `${w.slice(0, -1)}i`;
  w = replaceEnd(w, doubles, 0);
  w = replaceEnd(w, derived, 0);
  w = dropEnd(w);
  return tidy(w);
}

/** Whether the letter at `i` is a vowel; `y` is one after a consonant. */
function isVowel(w: string, i: number): boolean {
  const letter = w[i] as string;
  if ('aeiou'.includes(letter)) return true;
  return letter === 'y' && i > 0 && !isVowel(w, i - 1);
}

function hasVowel(w: string): boolean {
  for (let i = 0; i < w.length; i++) if (isVowel(w, i)) return true;
  return false;
}

/** How often a vowel is followed by a consonant. */
function measure(w: string): number {
  let changes = 0;
  let vowel = false;
  for (let i = 0; i < w.length; i++) {
    const now = isVowel(w, i);
    if (vowel && !now) changes += 1;
    vowel = now;
  }
  return changes;
}

function endsDouble(w: string): boolean {
  const last = w.length - 1;
  return last > 0 && w[last] === w[last - 1] && !isVowel(w, last);
}

/** Ends like `hop`: consonant, vowel, consonant that is none of w, x, y. */
function endsShort(w: string): boolean {
  const last = w.length - 1;
  if (last < 2 || isVowel(w, last) || !isVowel(w, last - 1) || isVowel(w, last - 2)) return false;
  return !'wxy'.includes(w[last] as string);
}

function plural(w: string): string {
  if (w.endsWith('sses') || w.endsWith('ies')) return w.slice(0, -2);
  return w.endsWith('s') && !w.endsWith('ss') ? w.slice(0, -1) : w;
}

function past(w: string): string {
  if (w.endsWith('eed')) return measure(w.slice(0, -3)) > 0 ? w.slice(0, -1) : w;
  const end = ['ed', 'ing'].find((ending) => w.endsWith(ending));
  if (end === undefined) return w;
  const root = w.slice(0, -end.length);
  if (!hasVowel(root)) return w;
  if (/(?:at|bl|iz)$/.test(root)) return `${root}e`;
  if (endsDouble(root) && !/[lsz]$/.test(root)) return root.slice(0, -1);
  return measure(root) === 1 && endsShort(root) ? `${root}e` : root;
}

const doubles: readonly (readonly [string, string])[] = [
  ['ational', 'ate'],
  ['ization', 'ize'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['tional', 'tion'],
  ['biliti', 'ble'],
  ['entli', 'ent'],
  ['ousli', 'ous'],
  ['ation', 'ate'],
  ['alism', 'al'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['alli', 'al'],
  ['ator', 'ate'],
  ['logi', 'log'],
  ['bli', 'ble'],
  ['eli', 'e'],
];

const derived: readonly (readonly [string, string])[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ness', ''],
  ['ful', ''],
];

function replaceEnd(
  w: string,
  rules: readonly (readonly [string, string])[],
  least: number,
): string {
  const rule = rules.find(([end]) => w.endsWith(end) && w.length > end.length);
  if (rule === undefined) return w;
  const root = w.slice(0, -rule[0].length);
  return measure(root) > least ? root + rule[1] : w;
}

const endings = [
  ...['ement', 'ance', 'ence', 'able', 'ible', 'ment', 'ant', 'ent', 'ism', 'ate', 'iti', 'ous'],
  ...['ive', 'ize', 'al', 'er', 'ic', 'ou'],
];

function dropEnd(w: string): string {
  const ion = w.endsWith('sion') || w.endsWith('tion');
  const end = ion
    ? 'ion'
    : endings.find((ending) => w.endsWith(ending) && w.length > ending.length);
  if (end === undefined) return w;
  const root = w.slice(0, -end.length);
  return measure(root) > 1 ? root : w;
}

function tidy(given: string): string {
  let w = given;
  if (w.endsWith('e')) {
    const root = w.slice(0, -1);
    const m = measure(root);
    if (m > 1 || (m === 1 && !endsShort(root))) w = root;
  }
  return w.endsWith('ll') && measure(w) > 1 ? w.slice(0, -1) : w;
}
