/** Scripts that put no space between words. */
const unspaced =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const word = /[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu;
const marks = /\p{M}/gu;

let segmenter: Intl.Segmenter | undefined;

/**
 * The words of a text, in lower case and without accents. Chinese, Japanese, Thai and the like are parted by
 * `Intl.Segmenter`; what is joined by a hyphen, and `camelCase`, comes whole and in its parts.
 */
export function wordsOf(text: string): readonly string[] {
  const found: string[] = [];
  for (const token of text.normalize('NFKC').match(word) ?? []) addWord(found, token);
  return found;
}

function addWord(found: string[], token: string): void {
  if (unspaced.test(token)) {
    segmenter ??= new Intl.Segmenter('ja', { granularity: 'word' });
    for (const { isWordLike, segment } of segmenter.segment(token)) {
      if (isWordLike === true) found.push(segment.toLowerCase());
    }
    return;
  }
  const whole = plain(token.replaceAll('’', "'").replace(/'s$/i, ''));
  found.push(whole);
  const parts = whole.includes('-') ? token.split('-') : token.split(/(?<=\p{Ll})(?=\p{Lu})/u);
  if (parts.length > 1) for (const part of parts) found.push(plain(part));
}

/** In lower case; accents of Latin letters go, so that they need not be typed. */
function plain(text: string): string {
  const lower = text.toLowerCase();
  return /[\u00c0-\u024f]/.test(lower) ? lower.normalize('NFD').replaceAll(marks, '') : lower;
}
